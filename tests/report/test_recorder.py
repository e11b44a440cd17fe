"""Recording one scenario, told step by step."""

from __future__ import annotations

from datetime import UTC, datetime

from gitops_e2e.report.encoding import Line, decode_text, encode, joined
from gitops_e2e.report.record import RunBegin, StepRecord, WaitRecord
from gitops_e2e.report.recorder import Plan, Recorder

PLAN = Plan(
    "features/shop.feature",
    "it is open",
    3,
    None,
    {},
    (StepRecord("Given", "a shop", 4, "not reached"), StepRecord("Then", "it is open", 5, "not reached")),
)


def _failed() -> Recorder:
    recorder = Recorder(PLAN)
    recorder.begin_step(None)
    recorder.pass_step([WaitRecord("the door", "is open", 2.0, 60.0, "met")])
    recorder.begin_step(None)
    recorder.attach("sign", "text/plain", "closed")
    recorder.stop_step()
    recorder.judge("failed", "it is closed")
    return recorder


def test_the_message_is_with_the_step_that_failed() -> None:
    record = _failed().record()

    assert record.status == "failed"
    assert [(step.status, step.message) for step in record.steps] == [("passed", ""), ("failed", "it is closed")]
    assert record.message == ""


def test_waits_are_with_their_step() -> None:
    assert [wait.subject for wait in _failed().record().steps[0].waits] == ["the door"]


def test_evidence_that_is_taken_after_a_failure_is_with_the_step_that_failed() -> None:
    recorder = _failed()
    recorder.attach("log", "text/plain", "nobody came")

    assert [(each.name, each.step) for each in recorder.record().attachments] == [("sign", 1), ("log", 1)]


def test_what_is_attached_after_all_steps_is_about_the_scenario() -> None:
    recorder = Recorder(PLAN)
    for _ in PLAN.steps:
        recorder.begin_step(None)
        recorder.pass_step()
    recorder.attach("log", "text/plain", "all was well")

    assert recorder.record().attachments[0].step is None


def test_the_first_failure_says_what_the_scenario_is() -> None:
    recorder = _failed()
    recorder.judge("error", "the lights were left on")

    record = recorder.record()
    assert (record.status, record.message) == ("failed", "the lights were left on")


def test_no_secret_is_in_an_encoded_record() -> None:
    recorder = Recorder(PLAN)
    recorder.begin_step(None)
    recorder.attach("hunter2", "text/plain", 'say "hunter2"\n')
    recorder.judge("failed", "not hunter2")

    line = encode(
        Line(scenario=recorder.record()), lambda text: text.replace('"hunter2"\n', "…").replace("hunter2", "…")
    )

    assert "hunter2" not in line
    assert r'"say \u2026"' in line


def test_a_record_is_read_as_it_was_written() -> None:
    begin = RunBegin("now", datetime(2026, 11, 25, tzinfo=UTC), "abc", "pytest features/")
    record = _failed().record()
    lines = [encode(line, str) for line in (Line(begin=begin), Line(scenario=record))]

    run = joined(map(decode_text, lines))

    assert run
    assert run.begin == begin
    assert run.scenarios == (record,)


def test_of_one_attempt_the_last_word_counts() -> None:
    begin = RunBegin("now", datetime(2026, 11, 25, tzinfo=UTC), "", "")
    interim, whole = Recorder(PLAN).record(), _failed().record()

    run = joined([Line(begin=begin), Line(scenario=interim), Line(scenario=whole)])

    assert run
    assert run.scenarios == (whole,)
