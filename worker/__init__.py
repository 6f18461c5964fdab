"""Frames in, decisions out. Imports nothing, so that `worker.protocol` stays light for kiosk and dashboard."""
