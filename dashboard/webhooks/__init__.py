"""Webhooks: changes told to other systems, signed, and tried again until they are taken."""
