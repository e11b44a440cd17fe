"""Running the steps of a Promotion, one pass at a time (behaviour file, 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.expressions import ExpressionFailed
from gitops_e2e.promoter.promotions.records import Records
from gitops_e2e.promoter.promotions.scope import Scope, task_of
from gitops_e2e.promoter.runtime.times import format_duration, now, parse_duration, parse_time, rfc3339
from gitops_e2e.promoter.steps import KINDS, Services, StepContext, StepKind, StepResult, TerminalStepError

_LOOK_AGAIN = 300.0
_DEFAULT_THRESHOLD = 1
_COMPOSES_FOR_ITS_TASK = "compose-output"


class _NotStarted(HarnessError):
    """It cannot be told whether the step is to run, or how."""


class _NoConfig(HarnessError):
    """The step's config cannot be had."""


@dataclass
class Progress:
    """How far a Promotion is: what its status says of its steps, under the same names.

    `again_after` are the seconds until the next pass at the latest, None after the last one.
    """

    current_step: int = 0
    records: Records = field(default_factory=lambda: Records([]))
    state: Manifest | None = None
    health_checks: list[Manifest] = field(default_factory=list)
    phase: str = "Running"
    message: str = ""
    again_after: float | None = None


@dataclass(frozen=True)
class Run:
    """A Promotion that is carried out. `started_at` is when it began, as in its status."""

    services: Services
    scope: Scope
    steps: Sequence[Manifest]
    work_dir: Path
    started_at: str

    def advance(self, progress: Progress) -> None:
        """Run steps from the current one on, until one has to be waited for or the last one is done."""
        for index in range(progress.current_step, len(self.steps)):
            progress.current_step = index
            progress.again_after = self._step(self.steps[index], progress)
            if progress.again_after is not None:
                return
        progress.phase, progress.message = progress.records.outcome()

    def _step(self, step: Manifest, progress: Progress) -> float | None:
        """One step: the seconds to wait for it, or None to go on with the next."""
        record = progress.records.of(step)
        alias = quote(step["as"])
        try:
            kind = self._kind_to_run(step, progress)
        except _NotStarted as error:
            record.update(status="Errored", message=error.what)
            return None
        if kind is None:
            record["status"] = "Skipped"
            return None
        record.setdefault("startedAt", rfc3339(now()))
        try:
            result = self._attempt(kind, step, progress)
        except _NoConfig as error:
            _end(record, "Errored", f"an unrecoverable error occurred: {error.what}")
        except TerminalStepError as error:
            _end(record, "Errored", f"an unrecoverable error occurred: error running step {alias}: {error.what}")
        except (HarnessError, OSError) as error:
            what = error.what if isinstance(error, HarnessError) else str(error)
            return _count_error(record, step, kind, f"error running step {alias}: {what}")
        else:
            return _settle(record, step, kind, result, progress)
        return None

    def _kind_to_run(self, step: Manifest, progress: Progress) -> StepKind | None:
        """The kind of the step; None when it is to be skipped. Raises _NotStarted."""
        if "if" in step:
            where = f"error checking if step {quote(step['as'])} should be skipped"
            try:
                wanted = self.scope.enter(step, progress.records, progress.state or {}).render(step["if"])
            except HarnessError as error:
                raise _NotStarted(f"{where}: {error.what}") from error
            if not isinstance(wanted, bool):
                raise _NotStarted(f"{where}: expression must evaluate to a boolean")
        else:
            wanted = not progress.records.has_failure_before(step["as"])
        if not wanted:
            return None
        kind = KINDS.get(step["uses"])
        if kind is None:
            raise _NotStarted(f"no promotion step runner found for kind {quote(step['uses'])}")
        try:
            _timeout(step, kind)
        except ValueError as error:
            raise _NotStarted(f"invalid retry.timeout of step {quote(step['as'])}: {error}") from error
        return kind

    def _attempt(self, kind: StepKind, step: Manifest, progress: Progress) -> StepResult:
        """Run the step once, and keep its output. Raises _NoConfig, StepError, TerminalStepError."""
        outputs = progress.state or {}
        try:
            scope = self.scope.enter(step, progress.records, outputs)
            config = scope.render(step.get("config"))
        except ExpressionFailed as error:
            raise _NoConfig(f"failed to get step config: {error.what}") from error
        progress.state = outputs
        if complaints := self.services.evaluator.validate(kind.schema, config):
            raise TerminalStepError(f"invalid {kind.name} config: " + "\n".join(complaints))
        result = kind.run(
            StepContext(
                services=self.services,
                config=config,
                work_dir=self.work_dir,
                project=self.scope.project,
                stage=self.scope.stage,
                promotion=self.scope.promotion,
                started_at=self.started_at,
                actor=self.scope.actor,
                artifacts=scope.artifacts,
            )
        )
        _keep_output(outputs, step, result.output)
        return result


def _settle(record: Manifest, step: Manifest, kind: StepKind, result: StepResult, progress: Progress) -> float | None:
    if result.status in {"Succeeded", "Skipped"}:
        _end(record, result.status, result.message)
        if result.health_check and result.status == "Succeeded":
            progress.health_checks.append(result.health_check)
        return None
    record.pop("errorCount", None)
    _note(record, result.status, result.message)
    return _wait(record, step, kind, result.retry_after)


def _count_error(record: Manifest, step: Manifest, kind: StepKind, message: str) -> float | None:
    threshold = step.get("retry", {}).get("errorThreshold") or _DEFAULT_THRESHOLD
    record["errorCount"] = record.get("errorCount", 0) + 1
    if record["errorCount"] >= threshold:
        _end(record, "Errored", f"step {quote(step['as'])} met error threshold of {threshold}: {message}")
        return None
    _note(record, "Errored", f"{message}; step will be retried")
    return _wait(record, step, kind, None)


def _wait(record: Manifest, step: Manifest, kind: StepKind, again_after: float | None) -> float | None:
    """How long to wait for the step; None, and its end, when it took too long already."""
    pause = again_after or _LOOK_AGAIN
    timeout = _timeout(step, kind)
    if not timeout:
        return pause
    left = (parse_time(record["startedAt"]) + timeout - datetime.now(UTC)).total_seconds()
    if left <= 0:
        _end(record, "Errored", f"step {quote(step['as'])} timed out after {format_duration(timeout)}")
        return None
    return min(pause, left)


def _timeout(step: Manifest, kind: StepKind) -> timedelta | None:
    given = step.get("retry", {}).get("timeout")
    return parse_duration(given) if given else kind.timeout


def _keep_output(state: Manifest, step: Manifest, output: Manifest | None) -> None:
    alias = step["as"]
    if output is None:
        state.pop(alias, None)
        return
    state[alias] = output
    if step["uses"] == _COMPOSES_FOR_ITS_TASK and (task := task_of(alias)):
        state[task] = {**state.get(task, {}), **output}


def _end(record: Manifest, status: str, message: str) -> None:
    record["finishedAt"] = rfc3339(now())
    _note(record, status, message)


def _note(record: Manifest, status: str, message: str) -> None:
    record["status"] = status
    record.pop("message", None)
    if message:
        record["message"] = message
