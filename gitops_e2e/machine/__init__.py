"""The machine a run works on: its Debian packages and what it has room for."""
