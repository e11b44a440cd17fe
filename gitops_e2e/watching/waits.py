"""What was waited for, and for how long: for whoever asks where the time went."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.watching.expectation import Verdict


@dataclass(frozen=True)
class Wait:
    """One wait that is over: `sentence` was wanted of `subject`. All times are in seconds."""

    subject: str
    sentence: str
    seconds: float
    within: float
    verdict: Verdict
