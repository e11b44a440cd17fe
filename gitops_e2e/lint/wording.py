"""Words that several subjects use."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def use_instead(wrong: str, known: Iterable[str]) -> str:
    """How to mend a name that nothing has."""
    names = sorted(known)
    if likely := get_close_matches(wrong, names, n=1):
        return f"use {likely[0]}"
    if len(names) == 1:
        return f"use {names[0]}"
    return f"use one of: {', '.join(names)}" if names else "there is none to use: add it"
