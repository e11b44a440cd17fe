"""How a demo is named on the command line."""

from __future__ import annotations

DEFAULT_NAME = "demo"


def command(words: str, name: str) -> str:
    """The command line that does this to the demo of that name."""
    of_name = "" if name == DEFAULT_NAME else f" --name {name}"
    return f"python -m gitops_e2e {words}{of_name}"
