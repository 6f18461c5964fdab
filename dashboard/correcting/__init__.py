"""Corrections: asked for, decided by somebody else, marked in the log."""
