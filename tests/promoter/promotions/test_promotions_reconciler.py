"""The life of a Promotion: phases, its end, abort, events, and that nothing is done twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gitops_e2e.kube import Manifest, Ref, Unreachable
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.promotions import reconciler
from gitops_e2e.promoter.promotions.reconciler import StageMissing
from gitops_e2e.promoter.runtime import now, rfc3339

pytestmark = pytest.mark.node

STEP = {"uses": "compose-output", "as": "o", "config": {"v": 1}}
WAIT = {"uses": "http", "as": "wait", "config": {"url": "http://127.0.0.1:1/"}, "retry": {"errorThreshold": 9}}
FREIGHT = "9e1b620de6465c93c714a94f6db7112374a6325e"
MAIN = {"kind": "Warehouse", "name": "main"}


def annotated(project: Any, promotion: Manifest, key: str, value: str) -> None:
    patch = {"metadata": {"annotations": {f"kargo.akuity.io/{key}": value}}}
    project.kube.patch(Ref.of(promotion), patch)


class TestPhases:
    def test_pending_until_the_stage_lets_it_run(self, project: Any) -> None:
        promotion = project.create(STEP, current=False)
        assert project.look(promotion) is None
        assert project.status(promotion) == {"phase": "Pending"}
        project.patch_stage(currentPromotion={"name": promotion["metadata"]["name"]})
        assert project.look(promotion) is None
        status = project.status(promotion)
        assert (status["phase"], status["state"]) == ("Succeeded", {"o": {"v": 1}})
        assert status["startedAt"] <= status["finishedAt"]

    def test_first_pass_is_told_at_its_end(self, project: Any) -> None:
        """The recorded sequence: nothing, Pending, Running with a start, then all at once."""
        promotion = project.create(STEP)
        resource = project.kube.resource(API_VERSION, "Promotion")
        with project.kube.watch(
            resource, promotion["metadata"]["resourceVersion"], namespace=project.namespace, seconds=1
        ) as events:
            project.look(promotion)
            seen = [event["object"]["status"] for event in events if event["type"] == "MODIFIED"]
        assert seen[0] == {"phase": "Pending"}
        assert {key: seen[1][key] for key in seen[1] if key != "startedAt"} == {"phase": "Running"}
        assert seen[2]["phase"] == "Succeeded"
        assert len(seen) == 3

    def test_begins_in_another_second_than_the_one_before_ended_in(
        self, project: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = now()
        project.patch_stage(lastPromotion={"name": "test.0", "finishedAt": rfc3339(ended)})
        promotion = project.create(STEP)
        monkeypatch.setattr(reconciler, "now", lambda: ended)
        assert project.look(promotion) == 1
        assert project.status(promotion) == {"phase": "Pending"}
        monkeypatch.setattr(reconciler, "now", lambda: ended + timedelta(seconds=1))
        project.look(promotion)
        assert project.status(promotion)["phase"] == "Succeeded"

    def test_what_ended_is_left_alone(self, project: Any) -> None:
        promotion = project.create(STEP)
        project.look(promotion)
        before = project.now(promotion)
        assert project.look(promotion) is None
        assert project.now(promotion) == before

    def test_without_its_stage_it_stays_pending_and_is_tried_again(self, project: Any) -> None:
        promotion = project.create(STEP, current=False)
        project.kube.delete(project.stage)
        with pytest.raises(StageMissing, match='could not find Stage "test" in namespace'):
            project.look(promotion)
        assert project.status(promotion) == {"phase": "Pending"}

    def test_refresh_is_told_to_be_seen(self, project: Any) -> None:
        promotion = project.create(WAIT)
        annotated(project, promotion, "refresh", "now")
        project.look(promotion)
        assert project.status(promotion)["lastHandledRefresh"] == "now"

    def test_deleted_promotion_leaves_nothing(self, project: Any) -> None:
        promotion = project.create(WAIT)
        project.look(promotion)
        last = project.now(promotion)
        project.kube.delete(Ref.of(promotion))
        assert project.reconciler.reconcile(last) is None
        assert list(project.work.iterdir()) == []


class TestFreight:
    def test_missing(self, project: Any) -> None:
        status = project.run(STEP, freight="gone")
        message = f'Freight "gone" not found in namespace "{project.namespace}"'
        assert (status["phase"], status["message"]) == ("Errored", message)
        assert "finishedAt" in status

    def test_not_available(self, project: Any) -> None:
        upstream = {"origin": MAIN, "sources": {"stages": ["other"]}}
        project.add("Stage", "test", spec={"requestedFreight": [upstream]})
        status = project.run(STEP)
        assert status["message"] == (
            f'Freight "{FREIGHT}" is not available to Stage "test" in namespace "{project.namespace}"'
        )
        assert "freight" not in status

    def test_lost_on_the_way_keeps_what_was_done(self, project: Any) -> None:
        promotion = project.create(STEP, WAIT)
        project.look(promotion)
        before = project.status(promotion)
        project.kube.delete(Ref(API_VERSION, "Freight", FREIGHT, project.namespace))
        project.look(promotion)
        status = project.status(promotion)
        assert status["phase"] == "Errored"
        assert status["stepExecutionMetadata"] == before["stepExecutionMetadata"]

    def test_is_referred_to_alone(self, project: Any) -> None:
        status = project.run(STEP)
        freight = status["freight"]
        assert freight["name"] == FREIGHT
        assert status["freightCollection"]["items"] == {"Warehouse/main": freight}

    def test_of_other_origins_is_carried_over_from_the_last_promotion(self, project: Any) -> None:
        other = {"name": "f2", "origin": {"kind": "Warehouse", "name": "other"}}
        dropped = {"name": "f3", "origin": {"kind": "Warehouse", "name": "dropped"}}
        requests = [{"origin": origin, "sources": {"direct": True}} for origin in (MAIN, other["origin"])]
        project.add("Stage", "test", spec={"requestedFreight": requests})
        items = {"Warehouse/other": other, "Warehouse/dropped": dropped, "Warehouse/main": {**dropped, "origin": MAIN}}
        project.patch_stage(
            lastPromotion={"name": "test.0", "status": {"freightCollection": {"id": "x", "items": items}}}
        )
        status = project.run(STEP)
        assert status["freightCollection"]["items"] == {"Warehouse/other": other, "Warehouse/main": status["freight"]}

    def test_that_is_there_already_is_to_be_verified_anew(self, project: Any) -> None:
        entry = {
            "id": "c",
            "items": {"Warehouse/main": {"name": FREIGHT}},
            "verificationHistory": [{"id": "v2"}, {"id": "v1"}],
        }
        project.patch_stage(freightHistory=[entry])
        project.run(STEP)
        annotations = project.kube.get(project.stage)["metadata"]["annotations"]
        assert annotations == {"kargo.akuity.io/reverify": '{"id":"v2","controlPlane":true}'}

    def test_that_is_new_is_verified_without_being_asked(self, project: Any) -> None:
        entry = {"id": "c", "items": {"Warehouse/main": {"name": "old"}}, "verificationHistory": [{"id": "v1"}]}
        project.patch_stage(freightHistory=[entry])
        project.run(STEP)
        assert "annotations" not in project.kube.get(project.stage)["metadata"]


class TestAbort:
    def test_running_step_is_aborted(self, project: Any) -> None:
        promotion = project.create(STEP, WAIT)
        project.look(promotion)
        annotated(project, promotion, "abort", json.dumps({"action": "terminate", "actor": "kubernetes:admin"}))
        assert project.look(promotion) is None
        status = project.status(promotion)
        assert (status["phase"], status["message"]) == ("Aborted", "Promotion terminated by kubernetes:admin")
        assert [record["status"] for record in status["stepExecutionMetadata"]] == ["Succeeded", "Aborted"]
        assert status["stepExecutionMetadata"][1]["finishedAt"] == status["finishedAt"]
        assert list(project.work.iterdir()) == []

    def test_pending_promotion_can_be_aborted(self, project: Any) -> None:
        promotion = project.create(STEP, current=False)
        annotated(project, promotion, "abort", "terminate")
        project.look(promotion)
        status = project.status(promotion)
        message = "Promotion terminated by controller:promotion-controller"
        assert (status["phase"], status["message"]) == ("Aborted", message)

    def test_other_words_are_ignored(self, project: Any) -> None:
        promotion = project.create(STEP)
        annotated(project, promotion, "abort", '{"action":"Terminate"}')
        project.look(promotion)
        assert project.status(promotion)["phase"] == "Succeeded"


class TestEvents:
    def test_success(self, project: Any) -> None:
        update = {
            "uses": "argocd-update",
            "as": "sync",
            "if": "${{ false }}",
            "config": {"apps": [{"name": "app-${{ ctx.stage }}"}, {"name": "x${{ outputs.o.nope.deeper }}"}]},
        }
        promotion = project.create(
            STEP, update, metadata={"annotations": {"kargo.akuity.io/create-actor": "kubernetes:ann"}}
        )
        project.look(promotion)
        (event,) = project.events()
        assert (event["reason"], event["type"], event["message"]) == (
            "PromotionSucceeded",
            "Normal",
            "Promotion Succeeded",
        )
        assert event["source"]["component"] == "promotion-controller"
        prefix = "event.kargo.akuity.io/"
        about = {key.removeprefix(prefix): value for key, value in event["metadata"]["annotations"].items()}
        assert about.pop("freight-create-time")
        assert json.loads(about.pop("freight-images"))[0]["tag"] == "1.10"
        assert about == {
            "project": project.namespace,
            "actor": "kubernetes:ann",
            "promotion-name": promotion["metadata"]["name"],
            "promotion-create-time": promotion["metadata"]["creationTimestamp"],
            "stage-name": "test",
            "freight-name": FREIGHT,
            "freight-alias": "calm-cat",
            "applications": '[{"Namespace":"argocd","Name":"app-test"}]',
            "verification-pending": "false",
        }

    def test_failure(self, project: Any) -> None:
        project.run({"uses": "nope", "as": "a"})
        (event,) = project.events()
        assert (event["reason"], event["message"]) == (
            "PromotionErrored",
            'Promotion Errored: no promotion step runner found for kind "nope"',
        )
        assert event["metadata"]["annotations"]["event.kargo.akuity.io/actor"] == "controller:promotion-controller"
        assert "event.kargo.akuity.io/verification-pending" not in event["metadata"]["annotations"]


@dataclass
class Counter:
    """A server that counts how often it is asked."""

    url: str
    requests: int = 0


@pytest.fixture
def counter() -> Iterator[Counter]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            counted.requests += 1
            self.send_response(204)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    counted = Counter(f"http://127.0.0.1:{server.server_port}/")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield counted
    server.shutdown()
    server.server_close()


class TestInterruption:
    """Whatever happens between two writes, no step is run twice in the same work directory."""

    @pytest.fixture
    def unreachable(self, project: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Any]]:
        """Has the API server refuse a number of patches that say the Promotion is past its first pass."""

        def refuse(times: int) -> list[Any]:
            refused: list[Any] = []
            patch = project.kube.patch

            def sometimes(ref: Ref, change: Manifest, **options: Any) -> Manifest:
                if "stepExecutionMetadata" in change.get("status", {}) and len(refused) < times:
                    refused.append(change)
                    raise Unreachable("cannot patch", OSError("connection refused"))
                answer: Manifest = patch(ref, change, **options)
                return answer

            monkeypatch.setattr(project.kube, "patch", sometimes)
            return refused

        return refuse

    def test_pass_that_could_not_be_written_is_written_later(
        self, project: Any, counter: Counter, unreachable: Callable[[int], list[Any]]
    ) -> None:
        refused = unreachable(2)
        promotion = project.create(STEP, {"uses": "http", "as": "once", "config": {"url": counter.url}})
        for _ in range(2):
            with pytest.raises(Unreachable):
                project.look(promotion)
        project.look(promotion)
        assert len(refused) == 2
        assert project.status(promotion)["phase"] == "Succeeded"
        assert (counter.requests, len(project.events())) == (1, 1)

    def test_defect_ends_the_promotion(self, project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> None:
            raise KeyError("gone")

        monkeypatch.setattr("gitops_e2e.promoter.promotions.engine._keep_output", broken)
        status = project.run(STEP)
        assert (status["phase"], status["message"]) == ("Errored", "unexpected error: KeyError('gone')")

    def test_new_process_starts_over_in_an_empty_directory(self, project: Any) -> None:
        promotion = project.create(STEP, WAIT)
        project.look(promotion)
        directory = project.work / f"promotion-{promotion['metadata']['uid']}"
        (directory / "left").touch()
        assert project.status(promotion)["currentStep"] == 1
        project.restart()
        project.look(promotion)
        status = project.status(promotion)
        assert list(directory.iterdir()) == []
        assert [record["alias"] for record in status["stepExecutionMetadata"]] == ["o", "wait"]
        assert status["stepExecutionMetadata"][1]["errorCount"] == 1

    def test_same_process_goes_on_where_it_was(self, project: Any) -> None:
        promotion = project.create(STEP, WAIT)
        project.look(promotion)
        (project.work / f"promotion-{promotion['metadata']['uid']}" / "left").touch()
        project.look(promotion)
        assert project.status(promotion)["stepExecutionMetadata"][1]["errorCount"] == 2
        assert (project.work / f"promotion-{promotion['metadata']['uid']}" / "left").exists()
