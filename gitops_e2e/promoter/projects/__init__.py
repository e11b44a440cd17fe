"""Projects and their configuration (behaviour file, 1.4 and 1.5)."""
