"""The compiled half of ``creditbus.bus.codec``; what it does is said and tested there."""
