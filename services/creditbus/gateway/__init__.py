"""Gateway: the front door for departments and subscribers (报送入口).

Reads HTTP requests; writes credit.events.<domain of the sender>, stamped and signed for the authenticated sender.
Guarantee: RECEIVED means that all in-sync replicas have the event. An answer that got lost is made good by sending
the same event_id again. It keeps nothing: killed at any point, nothing that was RECEIVED is missing.
Start at app.py; the decisions are in steps.py, from JSON to Avro values in reading.py.
"""
