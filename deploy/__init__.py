"""The `attendance` command and the local launcher."""
