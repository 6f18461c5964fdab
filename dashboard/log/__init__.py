"""The attendance log: what is asked of it, paged and exported."""
