"""Notifier: sends orders, lifts and alerts to whoever subscribed to them by webhook, and alerts by mail and chat.

Reads credit.measures.* and credit.alerts; writes credit.access. Killed at any point: the position of a subscription
moves on only when its endpoint has taken the message, so it is sent again under the same id, and none is left out.
Start at app.py.
"""
