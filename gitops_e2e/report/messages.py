"""A run as Cucumber messages: one JSON envelope a line, for the official tools (protocol of cucumber-messages).

What pytest knows and the protocol does not is told as what comes nearest to it: a step that was expected to fail is
SKIPPED with the reason as its message, one that was interrupted UNKNOWN, and what went wrong around the steps is a
hook that FAILED.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version

import cucumber_messages as cucumber
from cucumber_messages import Envelope, TestStepResultStatus, message_converter

from gitops_e2e.report.book import BAD, Book, Case
from gitops_e2e.report.record import Attachment, RunRecord, ScenarioRecord, StepDefinition, StepRecord, StepStatus

_GHERKIN = cucumber.SourceMediaType.text_x_cucumber_gherkin_plain
_STATUS: Mapping[StepStatus, TestStepResultStatus] = {
    "passed": TestStepResultStatus.passed,
    "failed": TestStepResultStatus.failed,
    "undefined": TestStepResultStatus.undefined,
    "skipped": TestStepResultStatus.skipped,
    "xfailed": TestStepResultStatus.skipped,
    "not reached": TestStepResultStatus.skipped,
    "interrupted": TestStepResultStatus.unknown,
}
_AROUND = "around the steps"


def messages(run: RunRecord, book: Book) -> Iterator[str]:
    """The run's messages, a line of JSON each."""
    for envelope in _Stream(run, book).envelopes():
        yield json.dumps(message_converter.to_dict(envelope))


@dataclass
class _Stream:
    """The messages of one run, and the ids by which they refer to each other."""

    run: RunRecord
    book: Book
    _next: int = 0
    _definitions: dict[StepDefinition, str] = field(default_factory=dict)

    def envelopes(self) -> Iterator[Envelope]:
        yield Envelope(meta=_meta(self.run))
        for document in self.book.documents:
            yield Envelope(source=cucumber.Source(document.text, _GHERKIN, document.uri))
            if document.error:
                where = cucumber.SourceReference(uri=document.uri)
                yield Envelope(parse_error=cucumber.ParseError(document.error, where))
                continue
            yield Envelope(gherkin_document=document.gherkin)
            for case in document.cases:
                yield Envelope(pickle=case.pickle)
        yield from self._step_definitions()
        hook = self._id("hook")
        yield Envelope(hook=cucumber.Hook(hook, cucumber.SourceReference(uri="pytest"), name=_AROUND))
        started = self._id("run")
        yield Envelope(test_run_started=cucumber.TestRunStarted(_timestamp(self.run.begin.started), started))
        for case in self.book.cases:
            if case.attempts:
                yield from self._case(case, started, hook)
        yield Envelope(test_run_finished=self._finish(started))

    def _step_definitions(self) -> Iterator[Envelope]:
        steps = (step for case in self.book.cases for attempt in case.attempts for step in attempt.steps)
        for definition in dict.fromkeys(step.definition for step in steps if step.definition):
            self._definitions[definition] = self._id("definition")
            yield Envelope(
                step_definition=cucumber.StepDefinition(
                    self._definitions[definition],
                    cucumber.StepDefinitionPattern(
                        definition.pattern, cucumber.StepDefinitionPatternType.cucumber_expression
                    ),
                    cucumber.SourceReference(location=cucumber.Location(definition.line), uri=definition.uri),
                )
            )

    def _case(self, case: Case, run: str, hook: str) -> Iterator[Envelope]:
        pairs = zip(case.pickle.steps, case.attempts[-1].steps, strict=True)
        steps = [self._step(pickled.id, told) for pickled, told in pairs]
        around = [attempt for attempt in case.attempts if _around(attempt)]
        if around:
            steps.append(cucumber.TestStep(self._id("step"), hook_id=hook))
        test_case = cucumber.TestCase(self._id("case"), case.pickle.id, steps, run)
        yield Envelope(test_case=test_case)
        for attempt in case.attempts:
            yield from self._attempt(attempt, test_case, retried=attempt is not case.attempts[-1])

    def _step(self, pickled: str, told: StepRecord) -> cucumber.TestStep:
        definitions = [self._definitions[told.definition]] if told.definition else []
        arguments = [cucumber.StepMatchArgumentsList([]) for _ in definitions]
        return cucumber.TestStep(self._id("step"), None, pickled, definitions, arguments)

    def _attempt(self, attempt: ScenarioRecord, case: cucumber.TestCase, *, retried: bool) -> Iterator[Envelope]:
        started = self._id("attempt")
        yield Envelope(
            test_case_started=cucumber.TestCaseStarted(
                attempt.attempt, started, case.id, _timestamp(attempt.started), attempt.worker or None
            )
        )
        at = attempt.started
        for index, step in enumerate(attempt.steps):
            at = step.started or at
            attached = [each for each in attempt.attachments if each.step == index]
            yield from self._run(started, case.test_steps[index].id, at, step, attached)
            at += timedelta(seconds=step.seconds)
        loose = [each for each in attempt.attachments if each.step is None]
        for attachment in loose:
            yield Envelope(attachment=_attachment(attachment, started, None, at))
        if len(case.test_steps) > len(attempt.steps):
            told = StepRecord("", _AROUND, 0, "failed" if _around(attempt) else "passed", message=attempt.message)
            yield from self._run(started, case.test_steps[-1].id, at, told, ())
        finished = _timestamp(attempt.started + timedelta(seconds=attempt.seconds))
        yield Envelope(test_case_finished=cucumber.TestCaseFinished(started, finished, retried))

    def _run(
        self, attempt: str, step: str, at: datetime, told: StepRecord, attached: Sequence[Attachment]
    ) -> Iterator[Envelope]:
        yield Envelope(test_step_started=cucumber.TestStepStarted(attempt, step, _timestamp(at)))
        for attachment in attached:
            yield Envelope(attachment=_attachment(attachment, attempt, step, at))
        result = cucumber.TestStepResult(
            _duration(told.seconds), _STATUS[told.status], _exception(told), told.message or None
        )
        finished = _timestamp(at + timedelta(seconds=told.seconds))
        yield Envelope(test_step_finished=cucumber.TestStepFinished(attempt, step, result, finished))

    def _finish(self, run: str) -> cucumber.TestRunFinished:
        end = self.run.end
        ended = end.ended if end else max([_ended(each) for each in self.run.scenarios] or [self.run.begin.started])
        good = not any(self.book.counts[status] for status in BAD)
        success = good and end is not None and end.exit_code == 0
        reason = end.reason if end else "the run was killed"
        return cucumber.TestRunFinished(success, _timestamp(ended), message=reason or None, test_run_started_id=run)

    def _id(self, kind: str) -> str:
        self._next += 1
        return f"{kind}-{self._next}"


def _around(attempt: ScenarioRecord) -> bool:
    """Whether something beside the steps went wrong."""
    return attempt.status == "error" or (attempt.status in BAD and bool(attempt.message))


def _meta(run: RunRecord) -> cucumber.Meta:
    revision = run.begin.commit.removesuffix("+")
    git = cucumber.Git("", revision) if revision else None
    return cucumber.Meta(
        cpu=cucumber.Product(platform.machine()),
        implementation=cucumber.Product("gitops-e2e", version("gitops-e2e")),
        os=cucumber.Product(platform.system(), platform.release()),
        protocol_version=version("cucumber-messages"),
        runtime=cucumber.Product("Python", platform.python_version()),
        ci=cucumber.Ci("gitops-e2e", git=git) if git else None,
    )


def _attachment(of: Attachment, attempt: str, step: str | None, at: datetime) -> cucumber.Attachment:
    return cucumber.Attachment(
        body=of.text or "",
        content_encoding=cucumber.AttachmentContentEncoding.identity,
        media_type=of.media_type,
        file_name=of.name,
        test_case_started_id=attempt,
        test_step_id=step,
        timestamp=_timestamp(at),
    )


def _exception(step: StepRecord) -> cucumber.Exception | None:
    return cucumber.Exception("Failure", step.message, step.message) if step.status == "failed" else None


def _ended(scenario: ScenarioRecord) -> datetime:
    return scenario.started + timedelta(seconds=scenario.seconds)


def _timestamp(at: datetime) -> cucumber.Timestamp:
    seconds = int(at.timestamp())
    return cucumber.Timestamp(nanos=at.microsecond * 1000, seconds=seconds)


def _duration(seconds: float) -> cucumber.Duration:
    whole = int(seconds)
    return cucumber.Duration(nanos=int((seconds - whole) * 1e9), seconds=whole)
