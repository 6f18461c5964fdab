"""The stream contract between kiosk, worker, recorder and dashboard.

A small package without torch or OpenCV: key names, entries, outcome codes, the Redis connection, heartbeats,
telemetry and bundle metadata. Everybody may import it; it imports nothing of the project outside itself.
"""

PROTOCOL_VERSION = 1
"""Raised when an entry's meaning changes; an entry of another version is refused with its reason, never guessed at."""
