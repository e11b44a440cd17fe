"""The environment variables that this project reads."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gitops_e2e.errors import HarnessError

PREFIX = "GITOPS_E2E_"
KNOWN = {
    "GITOPS_E2E_BUNDLE": "folder of image archives and Helm charts, as --bundle",
    "GITOPS_E2E_KILLS": "how many runs the tests of interrupted runs kill",
    "GITOPS_E2E_SEED": "the seed of an earlier run's random kills, to repeat them",
}


class UnknownVariable(HarnessError):
    """A variable has our prefix, and nothing reads it."""


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises UnknownVariable for the first of the variables that has our prefix and is none of ours."""
    for name in sorted(names):
        if name.startswith(PREFIX) and name not in KNOWN:
            likely = get_close_matches(name, KNOWN, n=1) or sorted(KNOWN)
            raise UnknownVariable(
                f"there is no setting {name}", where="the environment", remedy=f"use {' or '.join(likely)}, or unset it"
            )
