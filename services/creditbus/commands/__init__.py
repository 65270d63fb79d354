"""The sub-commands of ``creditbus``, one file a subject; each has ``register(app)``.

May import everything below; ``cli.py`` puts them together.
"""
