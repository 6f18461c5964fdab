"""The recorder: decisions become records and attendance events."""
