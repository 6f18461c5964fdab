"""Days and months of people, as pages and as files."""
