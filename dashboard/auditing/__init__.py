"""The audit trail, its rows and its page."""
