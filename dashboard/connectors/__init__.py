"""Connectors: other products that are told of punches in their own words."""
