from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.pipeline.asking import Outcome
from gitops_e2e.pipeline.endpoint import Endpoint
from gitops_e2e.pipeline.probe import Probe, ProbeError, Summary
from tests.clusters.kit import eventually
from tests.pipeline.servers import Reply, Serve

VERSION = "X-Product-Api-Version"


def answers(count: int) -> tuple[Callable[[], None], threading.Event]:
    """Something to call at each request, and the event that there were so many."""
    enough = threading.Event()
    numbers = itertools.count(1)

    def one_more() -> None:
        if next(numbers) >= count:
            enough.set()

    return one_more, enough


def test_a_service_that_answers_loses_nothing(serve: Serve) -> None:
    one_more, enough = answers(30)

    def answer(path: str) -> Reply:
        assert path == "/health"
        one_more()
        return Reply(200, "{}", {VERSION: "0.9.0"})

    with Probe(Endpoint(serve(answer).url)) as probe:
        assert enough.wait(20)
    summary = probe.stop()
    assert summary.sent >= 30
    assert summary.lost == ()
    assert summary.versions == {"0.9.0": summary.sent}
    assert "answered by 0.9.0" in str(summary)


def test_versions_and_failures_are_told_apart(serve: Serve) -> None:
    one_more, enough = answers(20)
    numbers = itertools.count()

    def answer(_: str) -> Reply:
        one_more()
        number = next(numbers)
        if number == 3:
            return Reply(None)
        if number == 4:
            return Reply(503, "", {VERSION: "1.0.0"})
        return Reply(200, "", {VERSION: "0.9.0" if number < 10 else "1.0.0"})

    probe = Probe(Endpoint(serve(answer).url))
    probe.start()
    assert enough.wait(20)
    summary = probe.stop()
    assert sorted(str(outcome.failure) for outcome in summary.lost)[1] == "status 503"
    assert len(summary.lost) == 2
    assert "RemoteDisconnected" in str(summary)
    assert summary.versions["0.9.0"] == 8
    assert sum(summary.versions.values()) == summary.sent - 2


def test_a_service_that_is_away_loses_everything(nobody: str) -> None:
    probe = Probe(Endpoint(nobody))
    probe.start()
    deadline = threading.Event()
    while not probe.summary().sent:
        assert not deadline.wait(0.05)
    summary = probe.stop()
    assert len(summary.lost) == summary.sent > 0
    assert "nobody" in str(summary)


def test_nothing_is_sent_after_the_end(serve: Serve) -> None:
    one_more, enough = answers(3)

    def answer(_: str) -> Reply:
        one_more()
        return Reply(200)

    probe = Probe(Endpoint(serve(answer).url))
    probe.start()
    assert enough.wait(20)
    first = probe.stop()
    assert probe.stop() == first
    assert probe._process
    assert probe._process.returncode == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "probe"]


def test_slow_answers_do_not_hold_up_the_others(serve: Serve) -> None:
    one_more, enough = answers(20)
    numbers = itertools.count()

    def answer(_: str) -> Reply:
        slow = next(numbers) == 0
        one_more()
        return Reply(200, delay=1.0 if slow else 0.0)

    with Probe(Endpoint(serve(answer).url)) as probe:
        assert enough.wait(20)
    summary = probe.summary()
    assert summary.sent >= 20
    assert summary.lost == ()


def test_a_probe_that_was_not_started_says_nothing(nobody: str) -> None:
    with pytest.raises(ProbeError, match="never started"):
        Probe(Endpoint(nobody)).stop()


def test_a_probe_that_broke_says_nothing(nobody: str) -> None:
    probe = Probe(Endpoint(nobody))
    probe.start()
    assert probe._process
    probe._process.kill()
    probe._process.wait()
    with pytest.raises(ProbeError, match="broke"):
        probe.stop()


def test_a_probe_that_cannot_begin_says_so(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ProbeError, match="broke"):
        Probe(Endpoint(nobody)).start()


def test_one_defect_of_many_requests_ends_the_probe(nobody: str) -> None:
    script = f"from gitops_e2e.pipeline import asking; asking.outcome = None; asking.main({nobody!r}, '/health')"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stderr
        said = asking.stderr.read()
    assert asking.returncode == 1
    assert "'NoneType' object is not callable" in said


def test_a_probe_ends_with_the_harness(nobody: str) -> None:
    script = (
        "import sys; from gitops_e2e.pipeline.endpoint import Endpoint; from gitops_e2e.pipeline.probe import Probe;"
        f"probe = Probe(Endpoint({nobody!r})); probe.start(); print(probe._process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout
        asking = ProcessIdentity.of(int(harness.stdout.readline()))
        harness.kill()
    assert eventually(lambda: not asking.alive)


def test_rate_is_over_the_time_that_was_probed() -> None:
    outcomes = tuple(Outcome(datetime.now(UTC), "0.9.0", None) for _ in range(50))
    assert Summary(outcomes, 2.0).rate == 25.0
    assert Summary((), 0.0).rate == 0.0


@pytest.mark.parametrize(
    ("versions", "seconds"),
    [
        (["0.9.0", "0.9.0", "1.0.0"], 0),
        (["0.9.0", "1.0.0", None, "0.9.0", "1.0.0"], 2),
        (["0.9.0", "0.9.0"], 0),
        ([None], 0),
    ],
)
def test_releases_overlap_from_the_first_answer_of_one_to_the_last_of_the_other(
    versions: list[str | None], seconds: float
) -> None:
    outcomes = tuple(
        Outcome(datetime(2026, 11, 23, 15, 0, second, tzinfo=UTC), version, None if version else "refused")
        for second, version in enumerate(versions)
    )
    assert Summary(outcomes, seconds=9).overlap("0.9.0", "1.0.0") == seconds
