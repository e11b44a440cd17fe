"""argocd-update: which Applications may be synced, when an operation is started, what it is, what is made of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gitops_e2e.kube import Conflict, Kube, Manifest, Ref
from gitops_e2e.promoter.steps import StepError

pytestmark = pytest.mark.node

PROMOTION = "dev.1.abc"
STARTED = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:05Z"
EARLIER = "2025-12-31T23:59:59Z"
REPOSITORY = "https://git.example.com/demo.git"
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def _argocd(kube: Kube) -> None:
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})


def _application(kube: Kube, *, allowed: str | None = "demo:dev", **parts: Any) -> str:
    """Create an Application; its name. `parts` are fields of its spec, its operation and its status."""
    name = f"app-{next(_numbers)}"
    annotations = {} if allowed is None else {"kargo.akuity.io/authorized-stage": allowed}
    status, operation = parts.pop("status", None), parts.pop("operation", None)
    spec = {"project": "default", "destination": {"namespace": "x"}, "source": {"repoURL": REPOSITORY, "path": "."}}
    manifest: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "annotations": annotations},
        "spec": {**spec, **parts},
    }
    if status:
        manifest["status"] = status
    if operation:
        manifest["operation"] = operation
    kube.create(manifest)
    return name


def _now(kube: Kube, name: str) -> Manifest:
    return kube.get(Ref("argoproj.io/v1alpha1", "Application", name, "argocd"))


def _config(name: str, **source: Any) -> Manifest:
    return {"apps": [{"name": name, **({"sources": [{"repoURL": REPOSITORY, **source}]} if source else {})}]}


def _operation(promotion: str | None) -> Manifest:
    info = [{"name": "kargo.akuity.io/promotion", "value": promotion}] if promotion else []
    return {"info": info, "sync": {}}


def _state(promotion: str | None, phase: str, **more: Any) -> Manifest:
    return {
        "operation": _operation(promotion),
        "phase": phase,
        "startedAt": LATER,
        **more,
    }


def _result(revision: str = "c1") -> Manifest:
    return {"syncResult": {"revision": revision, "source": {"repoURL": REPOSITORY}}}


def _history(username: str, at: str = LATER, revision: str = "c1") -> list[Manifest]:
    entry = {"id": 1, "revision": revision, "deployedAt": at, "deployStartedAt": at, "source": {"repoURL": REPOSITORY}}
    return [{**entry, "initiatedBy": {"username": username}}]


class TestAuthorization:
    @pytest.mark.parametrize(
        ("allowed", "message"),
        [
            (None, "{app} does not permit mutation by Kargo Stage dev in namespace demo"),
            ("demo:prod", "{app} does not permit mutation by Kargo Stage dev in namespace demo"),
            (
                "demo",
                'unable to parse value of annotation "kargo.akuity.io/authorized-stage" ("demo") on {app}',
            ),
            (
                "demo:*",
                '{app} has deprecated glob expression in annotation "kargo.akuity.io/authorized-stage" ("demo:*")',
            ),
        ],
    )
    def test_refused(self, steps: Any, kube: Kube, allowed: str | None, message: str) -> None:
        name = _application(kube, allowed=allowed)
        before = _now(kube, name)
        with pytest.raises(StepError) as failure:
            steps.run("argocd-update", _config(name))
        words = f'Argo CD Application "{name}" in namespace "argocd"'
        assert failure.value.what == f"error getting {words}: {message.format(app=words)}"
        assert _now(kube, name) == before

    def test_missing(self, steps: Any) -> None:
        with pytest.raises(StepError) as failure:
            steps.run("argocd-update", {"apps": [{"name": "nope", "namespace": "elsewhere"}]})
        words = 'Argo CD Application "nope" in namespace "elsewhere"'
        assert failure.value.what == f"error getting {words}: unable to find {words}"


class TestDecision:
    @pytest.mark.parametrize(
        ("status", "starts"),
        [
            ({}, True),
            ({"operationState": _state(None, "Running")}, False),
            ({"operationState": _state(None, "Succeeded")}, True),
            ({"operationState": _state("dev.0.abc", "Terminating")}, False),
            ({"operationState": _state("dev.0.abc", "Succeeded", **_result())}, True),
            ({"operationState": _state(PROMOTION, "Running")}, False),
            ({"operationState": _state(PROMOTION, "Succeeded")}, True),
            ({"operationState": _state(PROMOTION, "Succeeded", **_result("other"))}, True),
            ({"operationState": _state("dev.0.abc", "Succeeded"), "history": _history("kargo-controller")}, True),
            ({"operationState": _state(None, "Running"), "history": _history("somebody")}, False),
            ({"operationState": _state(None, "Succeeded"), "history": _history("somebody")}, True),
            ({"operationState": _state(None, "Succeeded"), "history": _history("kargo-controller", EARLIER)}, True),
            (
                {"operationState": _state(None, "Succeeded"), "history": _history("kargo-controller", LATER, "other")},
                True,
            ),
        ],
    )
    def test_operation_is_started_or_waited_for(
        self, steps: Any, kube: Kube, status: Manifest, *, starts: bool
    ) -> None:
        name = _application(kube, status=status)
        before = _now(kube, name)
        result = steps.run("argocd-update", _config(name, desiredRevision="c1"))
        assert (result.status, result.retry_after, result.health_check) == ("Running", 30.0, None)
        after = _now(kube, name)
        assert (after != before) is starts
        if starts:
            assert "operationState" not in after.get("status", {})
            assert after["operation"]["info"][1]["value"] == PROMOTION

    @pytest.mark.parametrize(
        "status",
        [
            {"operationState": _state(PROMOTION, "Succeeded", **_result())},
            # It went by before anybody looked.
            {"history": _history("kargo-controller")},
            {"operationState": _state(None, "Running"), "history": _history("kargo-controller")},
        ],
    )
    def test_operation_that_succeeded_is_not_repeated(self, steps: Any, kube: Kube, status: Manifest) -> None:
        name = _application(kube, status=status)
        before = _now(kube, name)
        result = steps.run("argocd-update", _config(name, desiredRevision="c1"))
        assert result.status == "Succeeded"
        assert result.health_check == {
            "uses": "argocd-update",
            "config": {"apps": [{"name": name, "namespace": "argocd", "desiredRevisions": ["c1"]}]},
        }
        assert _now(kube, name) == before

    def test_operation_that_has_not_begun_is_not_asked_for_again(self, steps: Any, kube: Kube) -> None:
        name = _application(kube)
        steps.run("argocd-update", _config(name))
        before = _now(kube, name)
        assert steps.run("argocd-update", _config(name)).status == "Running"
        assert _now(kube, name) == before

    @pytest.mark.parametrize("phase", ["Failed", "Error"])
    def test_operation_that_failed_is_an_error(self, steps: Any, kube: Kube, phase: str) -> None:
        name = _application(kube, status={"operationState": _state(PROMOTION, phase, message="boom", **_result())})
        with pytest.raises(StepError) as failure:
            steps.run("argocd-update", _config(name))
        assert failure.value.what == f'Argo CD Application "{name}" in namespace "argocd" failed with: boom'

    def test_revisions_of_several_sources_are_told_apart(self, steps: Any, kube: Kube) -> None:
        sources = [{"repoURL": "https://a"}, {"repoURL": REPOSITORY}]
        result = {"syncResult": {"revision": "", "revisions": ["a1", "c1"], "sources": sources, "source": sources[0]}}
        state = {"operationState": _state(PROMOTION, "Succeeded", **result)}
        name = _application(kube, source=None, sources=sources, status=state)
        health = steps.run("argocd-update", _config(name, desiredRevision="c1")).health_check
        assert health["config"]["apps"][0]["desiredRevisions"] == ["", "c1"]

    def test_all_applications_have_to_be_done(self, steps: Any, kube: Kube) -> None:
        done = _application(kube, status={"operationState": _state(PROMOTION, "Succeeded", **_result())})
        result = steps.run("argocd-update", {"apps": [{"name": done}, {"name": _application(kube)}]})
        assert result.status == "Running"

    def test_change_between_look_and_patch_is_looked_at(
        self, steps: Any, kube: Kube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The engine looks, its own operation of before it was killed is finished, and only then it patches."""
        name = _application(kube)
        find = kube.find
        changed: list[Manifest] = []

        def late(ref: Ref) -> Manifest | None:
            seen = find(ref)
            if ref.kind == "Application" and not changed:
                state = {"operationState": _state(PROMOTION, "Succeeded", **_result())}
                changed.append(kube.patch(ref, {"status": state}))
            return seen

        monkeypatch.setattr(kube, "find", late)
        assert steps.run("argocd-update", _config(name)).status == "Succeeded"
        assert "operation" not in _now(kube, name)

    def test_others_who_change_it_all_the_time_end_it(
        self, steps: Any, kube: Kube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(ref: Ref, change: Manifest, **_: Any) -> Manifest:
            raise Conflict(f"cannot patch {ref}", {"code": 409, "message": str(change)})

        name = _application(kube)
        monkeypatch.setattr(kube, "patch", refuse)
        with pytest.raises(StepError, match="others changed it 10 times in a row"):
            steps.run("argocd-update", _config(name))


class TestOperation:
    def test_is_kargos(self, steps: Any, kube: Kube) -> None:
        policy = {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"], "retry": {"limit": 3}}
        pending = {"sync": {"revision": "old", "prune": True}, "initiatedBy": {"automated": True}}
        name = _application(kube, syncPolicy=policy, operation=pending)
        before = _now(kube, name)
        steps.run("argocd-update", _config(name))
        after = _now(kube, name)
        assert after["operation"] == {
            "initiatedBy": {"automated": True, "username": "kargo-controller"},
            "info": [
                {"name": "Reason", "value": "Promotion triggered a sync of this Application resource."},
                {"name": "kargo.akuity.io/promotion", "value": PROMOTION},
            ],
            "retry": {"limit": 3},
            "sync": {"syncOptions": ["CreateNamespace=true"]},
        }
        assert after["metadata"]["annotations"]["argocd.argoproj.io/refresh"] == "hard"
        assert after["spec"] == before["spec"]

    def test_is_in_the_name_of_who_created_the_promotion(self, steps: Any, kube: Kube) -> None:
        name = _application(kube)
        steps.run("argocd-update", _config(name), actor="ann")
        operation = _now(kube, name)["operation"]
        assert operation["initiatedBy"] == {"username": "ann"}
        assert (operation["retry"], operation["sync"]) == ({}, {})

    def test_is_told_in_an_event(self, steps: Any, kube: Kube) -> None:
        name = _application(kube, source={"repoURL": REPOSITORY, "path": ".", "targetRevision": "stage/dev"})
        steps.run("argocd-update", _config(name))
        events = kube.list(kube.resource("v1", "Event"), "argocd")
        (event,) = [event for event in events if event["involvedObject"]["name"] == name]
        assert (event["reason"], event["message"], event["source"], event["metadata"]["annotations"]) == (
            "OperationStarted",
            "kargo-controller initiated sync to stage/dev",
            {"component": "kargo-controller"},
            {"user": "kargo-controller"},
        )

    def test_sources_are_updated(self, steps: Any, kube: Kube) -> None:
        helm = {"parameters": [{"name": "tag", "value": "1"}, {"name": "kept", "value": "x"}], "releaseName": "r"}
        sources = [
            {"repoURL": REPOSITORY.upper().replace("HTTPS", "https"), "path": ".", "kustomize": {"images": ["old"]}},
            {"repoURL": "https://charts", "chart": "c", "targetRevision": "1", "helm": helm},
        ]
        name = _application(kube, source=None, sources=sources)
        images = [
            {"repoURL": "r/a", "tag": "2"},
            {"repoURL": "r/b", "newName": "m/b", "digest": "sha256:1"},
            {"repoURL": "r/c"},
        ]
        updates = [
            {"repoURL": REPOSITORY, "kustomize": {"images": images}},
            {
                "repoURL": "https://charts",
                "chart": "c",
                "desiredRevision": "2",
                "updateTargetRevision": True,
                "helm": {"images": [{"key": "tag", "value": "2"}, {"key": "new", "value": "y"}]},
            },
        ]
        steps.run("argocd-update", {"apps": [{"name": name, "sources": updates}]})
        first, second = _now(kube, name)["spec"]["sources"]
        assert first["kustomize"]["images"] == ["r/a:2", "r/b=m/b@sha256:1", "r/c"]
        assert second["targetRevision"] == "2"
        assert second["helm"] == {
            "parameters": [
                {"name": "tag", "value": "2"},
                {"name": "kept", "value": "x"},
                {"name": "new", "value": "y"},
            ],
            "releaseName": "r",
        }

    def test_source_that_is_none_of_the_applications_is_an_error(self, steps: Any, kube: Kube) -> None:
        name = _application(kube)
        config = {"apps": [{"name": name, "sources": [{"repoURL": "https://other", "desiredRevision": "c"}]}]}
        with pytest.raises(StepError) as failure:
            steps.run("argocd-update", config)
        words = f'Argo CD Application "{name}" in namespace "argocd"'
        assert failure.value.what == (
            f"error building desired sources for {words}: "
            f"no source of {words} matched update for source with repoURL https://other"
        )
        assert "operation" not in _now(kube, name)
