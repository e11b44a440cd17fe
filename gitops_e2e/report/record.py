"""What is recorded of a run: what everything that a report shows is made from.

The records say what happened, in the features' own words, and nothing about how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Redact = Callable[[str], str]
"""Takes secrets out of a text. Every text that reaches a file has been through one."""

ScenarioStatus = Literal["passed", "failed", "error", "undefined", "skipped", "xfailed", "xpassed", "interrupted"]
"""As pytest has it: `error` is one around the steps (set-up, teardown), `undefined` a step that nobody wrote.

A scenario that was not run has no record.
"""

StepStatus = Literal["passed", "failed", "undefined", "skipped", "xfailed", "interrupted", "not reached"]

WaitVerdict = Literal["met", "out of time", "impossible"]


@dataclass(frozen=True)
class WaitRecord:
    """How long was waited for what: `sentence` is what was wanted of `subject`, `within` the budget. In seconds."""

    subject: str
    sentence: str
    seconds: float
    within: float
    verdict: WaitVerdict
    observed: str = ""


@dataclass(frozen=True)
class Attachment:
    """Something that was kept of a scenario: its text, or where that lies, relative to the run's folder.

    `step` is the index of the step that it belongs to, or None: it is about the scenario.
    """

    name: str
    media_type: str
    text: str | None = None
    path: str | None = None
    step: int | None = None


@dataclass(frozen=True)
class StepDefinition:
    """The code behind a step: the pattern that matched, and where it stands."""

    pattern: str
    uri: str
    line: int


@dataclass(frozen=True)
class StepRecord:
    """One step of a scenario, as it was run: `text` has the example's values in it."""

    keyword: str
    text: str
    line: int
    status: StepStatus
    started: datetime | None = None
    seconds: float = 0.0
    waits: tuple[WaitRecord, ...] = ()
    message: str = ""
    definition: StepDefinition | None = None


@dataclass(frozen=True)
class ScenarioRecord:
    """One attempt at one scenario, or at one row of a scenario outline's examples.

    `uri` is the feature's path, `name` and `line` are the scenario's as they stand there. `row` counts the rows of
    all its Examples from 0; it is None, and `example` empty, where there are none. `message` is what is to be told
    beside the steps. `attempt` counts from 0.
    """

    uri: str
    name: str
    line: int
    row: int | None
    example: Mapping[str, str]
    status: ScenarioStatus
    started: datetime
    seconds: float
    steps: tuple[StepRecord, ...]
    attachments: tuple[Attachment, ...] = ()
    message: str = ""
    attempt: int = 0
    worker: str = ""


@dataclass(frozen=True)
class FeatureRecord:
    """The text of a feature as it was when the run began."""

    uri: str
    text: str


@dataclass(frozen=True)
class Surroundings:
    """What the scenarios ran on: the cluster's provider, and the version of each part that runs on it.

    `not_run` is what the demo's installation has beside these. `pods_at_once` is how many pods of scenarios the cluster
    has room for.
    """

    provider: str
    cluster: str
    versions: Mapping[str, str]
    not_run: tuple[str, ...] = ()
    pods_at_once: int = 1


@dataclass(frozen=True)
class RunBegin:
    """What is known when a run begins. `commit` is "" outside of a Git clone."""

    name: str
    started: datetime
    commit: str
    command: str


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: pytest's exit code, and the reason where it ended early."""

    ended: datetime
    exit_code: int
    reason: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A run, as far as it came: a run that was killed has no end."""

    begin: RunBegin
    features: tuple[FeatureRecord, ...] = ()
    surroundings: Surroundings | None = None
    scenarios: tuple[ScenarioRecord, ...] = ()
    end: RunEnd | None = field(default=None)
