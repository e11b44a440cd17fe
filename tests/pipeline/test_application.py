"""Applications, on what Argo CD reported while a commit was deployed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.application import (
    APPLICATIONS,
    ARGOCD,
    Application,
    WatchedApplication,
    has_health,
    is_synced_to,
)
from gitops_e2e.watching import Expectation, ExpectationFailed, WatchCache, expect, passed_through
from tests.recorded import Recorded, idle_cache, play, put, recording

OLD = "5ce3bfff9b4b466c6233584f4cc8ec9371751dfa"
NEW = "1649cf0b8862fdf53335e7e436151627dd873998"
ROLLED_BACK = "ee369cf83761a1bbcac5a687ab0ed348484061f6"
BUILD_ERROR = "Failed to load target state: rpc error: code = Unknown desc = kustomize build failed"
AWAY = 'rpc error: code = Unavailable desc = connection error: dial tcp 10.0.0.1:8081: connect: connection refused"'


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def dev(cache: WatchCache, revision: str | None = NEW) -> WatchedApplication:
    return WatchedApplication(cache, "demo-dev", "demo-dev", revision)


def states() -> list[Recorded]:
    return [change for change in recording("applications") if change.name == "demo-dev"]


def pending(subject: WatchedApplication, wanted: Expectation[Application]) -> bool:
    with pytest.raises(ExpectationFailed, match="was not so within") as failed:
        expect(subject, wanted, within=0)
    return bool(failed.value)


class TestRecorded:
    def test_nothing_is_believed_before_the_commit_is_synced(self, cache: WatchCache) -> None:
        """Up to the eighth state it says Healthy, of what ran before."""
        for state in states()[:7]:
            play(cache, [state])
            assert pending(dev(cache), is_synced_to(NEW))
            assert pending(dev(cache), has_health("Healthy"))
        play(cache, states()[7:8])
        assert pending(dev(cache), is_synced_to(NEW))  # the operation is still under way
        play(cache, states()[8:9])
        application = expect(dev(cache), is_synced_to(NEW), within=0)
        assert application.health == "Progressing"
        assert pending(dev(cache), has_health("Healthy"))

    def test_the_way_of_a_canary_with_two_pauses(self, cache: WatchCache) -> None:
        play(cache, states())
        way = [has_health(each) for each in ("Progressing", "Suspended", "Progressing", "Suspended", "Healthy")]
        expect(dev(cache), passed_through(is_synced_to(NEW), *way), within=0)

    def test_another_commit(self, cache: WatchCache) -> None:
        play(cache, states())
        with pytest.raises(ExpectationFailed, match="5ce3bff yet: Synced at 1649cf0 of stage/dev, Healthy"):
            expect(dev(cache, OLD), has_health("Healthy"), within=0)

    def test_degraded_after_a_rollback(self, cache: WatchCache) -> None:
        play(cache, recording("applications"))
        prod = WatchedApplication(cache, "demo-prod", "demo-prod", ROLLED_BACK)
        assert expect(prod, has_health("Degraded"), within=0).sync == "Synced"
        assert pending(prod, has_health("Healthy"))

    def test_without_a_commit_it_is_taken_as_it_is(self, cache: WatchCache) -> None:
        play(cache, states()[:1])
        expect(dev(cache, None), has_health("Healthy"), within=0)

    def test_synced_to_another_commit(self, cache: WatchCache) -> None:
        play(cache, states()[:1])
        assert pending(dev(cache, None), is_synced_to(NEW))
        expect(dev(cache, None), is_synced_to(OLD), within=0)

    def test_its_story_is_told_where_it_deploys_to(self, cache: WatchCache) -> None:
        play(cache, states())
        told = [entry.text for entry in cache.timeline.entries("demo-dev") if entry.kind == "Application"]
        assert told == [
            "Synced at 5ce3bff",
            "Healthy",
            "sync of no commit Succeeded: successfully synced (all tasks run)",
            "OutOfSync at 1649cf0",
            "sync of no commit Running",
            "sync of no commit Succeeded: successfully synced (all tasks run)",
            "sync of 1649cf0 Running",
            "Synced at 1649cf0",
            "Progressing",
            "sync of 1649cf0 Succeeded: successfully synced (all tasks run)",
            "Suspended",
            "Progressing",
            "Suspended",
            "Progressing",
            "Healthy",
        ]

    def test_it_is_not_there(self, cache: WatchCache) -> None:
        with pytest.raises(ExpectationFailed, match="there is no such Application"):
            expect(dev(cache), has_health("Healthy"), within=0)


def test_only_what_is_so_after_a_refresh_is_an_answer_to_it(cache: WatchCache) -> None:
    play(cache, states())
    synced = states()[-1].object
    assert synced
    subject = replace(dev(cache), refreshed=8)
    for version, annotated in (("7", {}), ("8", {"argocd.argoproj.io/refresh": "normal"})):
        metadata = {**synced["metadata"], "resourceVersion": version, "annotations": annotated}
        put(cache, APPLICATIONS, ARGOCD, "demo-dev", {**synced, "metadata": metadata})
        with pytest.raises(ExpectationFailed, match="has not looked at its branch again yet: Synced at 1649cf0"):
            expect(subject, is_synced_to(NEW), within=0)
    ended = {**synced["metadata"], "resourceVersion": "9", "annotations": {}}
    put(cache, APPLICATIONS, ARGOCD, "demo-dev", {**synced, "metadata": ended})
    expect(subject, is_synced_to(NEW), within=0)


def report(cache: WatchCache, status: dict[str, Any], annotations: dict[str, str] | None = None) -> None:
    """Let the Application report something else than what was recorded last."""
    manifest = states()[3].object
    assert manifest
    metadata = {**manifest["metadata"], "annotations": annotations or {}}
    changed: Manifest = {**manifest, "metadata": metadata, "status": {**manifest["status"], **status}}
    put(cache, APPLICATIONS, ARGOCD, "demo-dev", changed)


def condition(kind: str, message: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "message": message}]}


def operation(phase: str, revision: str) -> dict[str, Any]:
    sync = {"revision": revision}
    return {"operationState": {"phase": phase, "message": "one or more objects failed", "operation": {"sync": sync}}}


@pytest.mark.parametrize("wanted", [is_synced_to(NEW), has_health("Healthy")], ids=lambda it: it.sentence)
class TestHopelessStates:
    @pytest.mark.parametrize("kind", ["ComparisonError", "InvalidSpecError"])
    def test_an_error_that_lasts(
        self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch, kind: str, wanted: Expectation[Application]
    ) -> None:
        report(cache, {**condition(kind, BUILD_ERROR), "sync": {"status": "Unknown", "revision": OLD}})
        assert pending(dev(cache), wanted)
        monkeypatch.setattr("gitops_e2e.pipeline.application._ERROR_PATIENCE", 0.01)
        with pytest.raises(ExpectationFailed, match=f"{kind}: .* kustomize build failed") as failed:
            expect(dev(cache), wanted, within=5)
        assert "cannot become so any more" in str(failed.value)

    def test_an_error_that_a_refresh_is_about_to_judge_anew(
        self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch, wanted: Expectation[Application]
    ) -> None:
        monkeypatch.setattr("gitops_e2e.pipeline.application._ERROR_PATIENCE", 0.0)
        refresh = {"argocd.argoproj.io/refresh": "normal"}
        report(cache, condition("ComparisonError", BUILD_ERROR), refresh)
        assert pending(dev(cache), wanted)

    def test_a_server_that_is_away_says_nothing_about_the_commit(
        self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch, wanted: Expectation[Application]
    ) -> None:
        monkeypatch.setattr("gitops_e2e.pipeline.application._ERROR_PATIENCE", 0.0)
        report(cache, condition("ComparisonError", AWAY))
        assert pending(dev(cache), wanted)

    def test_a_warning_is_no_error(self, cache: WatchCache, wanted: Expectation[Application]) -> None:
        report(cache, condition("SharedResourceWarning", "shared"))
        assert pending(dev(cache), wanted)

    @pytest.mark.parametrize("phase", ["Failed", "Error"])
    def test_a_sync_that_failed(self, cache: WatchCache, phase: str, wanted: Expectation[Application]) -> None:
        report(cache, operation(phase, NEW))
        with pytest.raises(ExpectationFailed, match=f"the sync ended {phase}: one or more objects failed"):
            expect(dev(cache), wanted, within=5)

    def test_a_sync_that_failed_for_another_commit(self, cache: WatchCache, wanted: Expectation[Application]) -> None:
        report(cache, operation("Failed", OLD))
        assert pending(dev(cache), wanted)

    def test_a_sync_that_is_tried_again(self, cache: WatchCache, wanted: Expectation[Application]) -> None:
        report(cache, operation("Running", NEW))
        assert pending(dev(cache), wanted)


@pytest.mark.parametrize(("prune", "hopeless"), [(False, True), (True, False), (None, True)])
def test_what_git_no_longer_has_stays_where_prune_is_off(cache: WatchCache, prune: bool | None, hopeless: bool) -> None:
    manifest = states()[3].object
    assert manifest
    automated = {"selfHeal": True} if prune is None else {"selfHeal": True, "prune": prune}
    left = {"kind": "ConfigMap", "name": "notes", "status": "OutOfSync", "requiresPruning": True}
    spec = {**manifest["spec"], "syncPolicy": {"automated": automated}}
    status = {**manifest["status"], "resources": [left]}
    put(cache, APPLICATIONS, ARGOCD, "demo-dev", {**manifest, "spec": spec, "status": status})
    with pytest.raises(ExpectationFailed) as failed:
        expect(dev(cache), is_synced_to(NEW), within=0)
    assert ("its prune is off, and Git no longer has ConfigMap notes" in str(failed.value)) == hopeless
