"""What became of a mutant: caught, by which step and with which words, or not, and why that does not count."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from pytest_bdd.parser import Step

from gitops_e2e.pipeline.endpoint import NoAnswer
from gitops_e2e.pipeline.metric import NoData
from gitops_e2e.watching import ExpectationFailed, Impossible
from mutants.mutant import Mutant

_WAITED_FOR = (NoData, NoAnswer)
"""What is raised when something did not come in time, beside expectations."""

_JUDGEMENTS = (AssertionError, pytest.fail.Exception)

_MESSAGE = re.compile(r"\bobserved: (.*)")


@dataclass(frozen=True)
class Verdict:
    """`said` is the sentence that matters of the scenario's message; `why_not` is "" for a mutant that was caught."""

    mutant: str
    scenario: str
    step: str
    said: str
    seconds: float
    why_not: str = ""


def judge(mutant: Mutant, step: Step | None, error: BaseException | None, message: str, seconds: float) -> Verdict:
    """The verdict on a mutant whose scenario ended at that step with that error, and said that; None: it passed."""
    said = _sentence(message)
    told = f"{step.keyword} {step.name}" if step else ""
    return Verdict(mutant.name, mutant.scenario, told, said, seconds, _why_not(mutant, step, error, message))


def _why_not(mutant: Mutant, step: Step | None, error: BaseException | None, message: str) -> str:
    if error is None:
        return "the scenario passed"
    if step is None:
        return "something around the steps failed"
    if step.type != "then" and not _is_plain_assertion(error):
        return "it failed before anything was judged"
    if isinstance(error, _WAITED_FOR) or (
        isinstance(error, ExpectationFailed) and not isinstance(error.verdict, Impossible)
    ):
        return "a wait ran out, and nothing said that it would"
    if not isinstance(error, _JUDGEMENTS):
        return "something broke, and nothing was judged"
    words = " ".join(message.split())
    missing = [each for each in mutant.says if " ".join(each.split()) not in words]
    return f"it does not say {'; '.join(missing)}" if missing else ""


def _is_plain_assertion(error: BaseException) -> bool:
    """Whether a Given or When looked at what the scenario is about, and it was not as it says."""
    return isinstance(error, AssertionError) and not isinstance(error, ExpectationFailed)


def _sentence(message: str) -> str:
    observed = _MESSAGE.search(message)
    return observed[0] if observed else next(iter(message.strip().splitlines()), "")
