"""What a person reads of a failure: the last lines are enough to know what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_e2e.errors import HarnessError
from gitops_e2e.evidence.causes import Explanation, Observation, explain
from gitops_e2e.watching import ExpectationFailed

_CONDITIONS_SHOWN = 6
_LONGEST_LINE = 600
_LONGEST_OF_STORY = 200
_TITLE = re.compile(
    r"\b(?P<kind>Rollout|Application|Stage|Promotion|Warehouse|Freight|Deployment|StatefulSet|Certificate)"
    r" (?P<name>[a-z0-9][\w.-]*)(?: in )?"
)

_WAREHOUSE = re.compile(r" Warehouse (?P<name>[a-z0-9][\w.-]*): ")


@dataclass(frozen=True)
class Surroundings:
    """Where a failure was seen: `kubeconfig` is the cluster's, `stays` is whether the cluster outlives the run.

    `evidence` is the folder with what was collected, as the user may type it. Each is "" where there is none.
    """

    kubeconfig: str = ""
    stays: bool = False
    evidence: str = ""


def told(error: HarnessError, where: Surroundings) -> str:
    """The failure as a terminal shows it, whose last lines are read first: what led to it, then what matters."""
    return "\n".join([*_story(error), *_matter(error, where)])


def reported(error: HarnessError, where: Surroundings) -> str:
    """The same as a page shows it, whose first lines are read first."""
    return "\n".join([*_matter(error, where), *_story(error)])


def _matter(error: HarnessError, where: Surroundings) -> Sequence[str]:
    """What was wanted and observed, the likely cause, what to do next."""
    return [*_verdict(error), *_advice(explain(observed(error)), where)]


def observed(error: HarnessError) -> Observation:
    """The words by which the cause of a failure is found."""
    if not isinstance(error, ExpectationFailed):
        return Observation([str(error)])
    words = [error.verdict.observed, *error.conditions, *reversed(_present(error.story))]
    title = _TITLE.search(error.subject)
    named = f"{title['kind'].lower()}/{title['name']}" if title else ""
    return Observation(words, _namespace(error), named)


def _present(story: Sequence[str]) -> Sequence[str]:
    """The story without what a Warehouse said before its last word: what it could not find, it may have found since."""
    last = {found["name"]: line for line in story if (found := _WAREHOUSE.search(line))}
    return [line for line in story if not (found := _WAREHOUSE.search(line)) or last[found["name"]] is line]


def _namespace(error: ExpectationFailed) -> str:
    return error.namespaces[0] if error.namespaces else ""


def _story(error: HarnessError) -> Sequence[str]:
    if not isinstance(error, ExpectationFailed):
        return []
    lines = [*_under("what happened last", error.story), *_under("conditions", error.conditions[:_CONDITIONS_SHOWN])]
    return [_short(line, _LONGEST_OF_STORY) for line in lines]


def _under(heading: str, lines: Sequence[str]) -> list[str]:
    return [f"{heading}:", *(f"  {line}" for line in lines)] if lines else []


def _verdict(error: HarnessError) -> Sequence[str]:
    text = HarnessError.__str__(error) if isinstance(error, ExpectationFailed) else str(error)
    return [_short(line) for line in text.splitlines()]


def _advice(explanation: Explanation, where: Surroundings) -> Sequence[str]:
    lines = []
    if explanation.cause:
        lines.append(_short(f"  likely cause: {explanation.cause}"))
    if explanation.command:
        option = f" --kubeconfig {where.kubeconfig}" if where.kubeconfig else ""
        lines.append(f"  next:     {explanation.command.replace('kubectl', f'kubectl{option}', 1)}")
        if where.kubeconfig and not where.stays:
            lines.append("            (this cluster ends with the run: --keep-cluster keeps the next one)")
    if where.evidence:
        lines.append(f"  evidence: {where.evidence}")
    return lines


def _short(line: str, longest: int = _LONGEST_LINE) -> str:
    return line if len(line) <= longest else f"{line[:longest]} …"
