"""The site as its operator sees it: what runs, how well, by which model, and with which settings."""
