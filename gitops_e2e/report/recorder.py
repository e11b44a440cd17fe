"""Recording one scenario while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gitops_e2e.report.record import (
    Attachment,
    ScenarioRecord,
    ScenarioStatus,
    StepDefinition,
    StepRecord,
    StepStatus,
    WaitRecord,
)

_OF_STEP: Mapping[ScenarioStatus, StepStatus] = {
    "failed": "failed",
    "error": "failed",
    "undefined": "undefined",
    "skipped": "skipped",
    "xfailed": "xfailed",
    "interrupted": "interrupted",
}
"""What a scenario's end makes of the step that was being run."""


@dataclass(frozen=True)
class Plan:
    """A scenario that is about to be run, or a row of its examples; see ScenarioRecord. Its steps are not reached."""

    uri: str
    name: str
    line: int
    row: int | None
    example: Mapping[str, str]
    steps: tuple[StepRecord, ...]


@dataclass
class Recorder:
    """One attempt at one scenario. Whoever runs it says what happens, in the order in which it does."""

    plan: Plan
    attempt: int = 0
    worker: str = ""
    _steps: list[StepRecord] = field(init=False)
    _attachments: list[Attachment] = field(default_factory=list)
    _messages: list[str] = field(default_factory=list)
    _status: ScenarioStatus = "passed"
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _begun: float = field(default_factory=time.monotonic)
    _running: int | None = None
    _reached: int = 0
    _step_begun: float = 0.0

    def __post_init__(self) -> None:
        self._steps = list(self.plan.steps)

    def begin_step(self, definition: StepDefinition | None) -> None:
        """The next step is run, by this code if there is any."""
        self._running = self._reached
        self._reached += 1
        self._step_begun = time.monotonic()
        self._change_step(started=datetime.now(UTC), definition=definition)

    def stop_step(self, waits: Sequence[WaitRecord] = ()) -> None:
        """The step is over; whether it passed is not told yet."""
        self._change_step(seconds=time.monotonic() - self._step_begun, waits=tuple(waits))

    def pass_step(self, waits: Sequence[WaitRecord] = ()) -> None:
        """The step is over and was good."""
        self.stop_step(waits)
        self._change_step(status="passed")
        self._running = None

    def attach(self, name: str, media_type: str, text: str) -> None:
        """Keep something: with the step that is being run, or that ended the scenario, if there is one."""
        self._attachments.append(Attachment(name, media_type, text, step=self._running))

    def judge(self, status: ScenarioStatus, message: str = "") -> None:
        """What came of the set-up, the steps, or the teardown; the first that was not good says what the scenario is.

        The message belongs to the step that was being run, if it ended the scenario.
        """
        if self._status not in {"passed", "xpassed"}:
            self._add(message)
            return
        if status != "passed":
            self._status = status
        if self._running is None or status not in _OF_STEP:
            self._add(message)
            return
        if not self._steps[self._running].seconds:
            self.stop_step()
        self._change_step(status=_OF_STEP[status], message=message)

    def record(self) -> ScenarioRecord:
        """What is known so far."""
        return ScenarioRecord(
            uri=self.plan.uri,
            name=self.plan.name,
            line=self.plan.line,
            row=self.plan.row,
            example=self.plan.example,
            status=self._status,
            started=self._started,
            seconds=time.monotonic() - self._begun,
            steps=tuple(self._steps),
            attachments=tuple(self._attachments),
            message="\n".join(self._messages),
            attempt=self.attempt,
            worker=self.worker,
        )

    def _add(self, message: str) -> None:
        if message:
            self._messages.append(message)

    def _change_step(self, **changes: object) -> None:
        if self._running is not None:
            self._steps[self._running] = replace(self._steps[self._running], **changes)  # type: ignore[arg-type]
