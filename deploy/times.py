"""Moments as the command prints them."""

from datetime import UTC, datetime

LAST_MS = 4_102_444_800_000
"""The year 2100: whatever is later was no time."""


def utc_words(ms: int | None) -> str:
    """`2026-11-23 07:00:00`, in UTC; a dash where there is none."""
    return "–" if ms is None else datetime.fromtimestamp(min(ms, LAST_MS) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
