"""Aliases of Freight: a word that describes, and an animal."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib import resources

_WORDS = resources.files(__package__)
_DESCRIPTORS = _WORDS.joinpath("descriptors.txt").read_text(encoding="utf-8").split()
_ANIMALS = _WORDS.joinpath("animals.txt").read_text(encoding="utf-8").split()


def new_alias(is_taken: Callable[[str], bool]) -> str:
    """A random `<descriptor>-<animal>` that is not taken."""
    while is_taken(alias := f"{secrets.choice(_DESCRIPTORS)}-{secrets.choice(_ANIMALS)}"):
        pass
    return alias
