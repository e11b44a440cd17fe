from __future__ import annotations

import json
from pathlib import Path

import pytest
import urllib3

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import (
    NODES,
    PODS,
    AlreadyExists,
    Conflict,
    Expired,
    Kube,
    KubeError,
    NotFound,
    Ref,
    Resource,
    Unreachable,
)
from gitops_e2e.kube.errors import from_response, from_status

ROLLOUTS = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", namespaced=True)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PODS.path("shop"), "/api/v1/namespaces/shop/pods"),
        (PODS.path(None), "/api/v1/pods"),
        (PODS.path("shop", "a", "status"), "/api/v1/namespaces/shop/pods/a/status"),
        (ROLLOUTS.path("shop", "a"), "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/a"),
        (NODES.path("shop", "a"), "/api/v1/nodes/a"),
    ],
)
def test_paths(path: str, expected: str) -> None:
    assert path == expected


def test_a_reference_reads_well() -> None:
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
    assert str(Ref.of(manifest)) == "Pod a in namespace shop"
    assert str(Ref("v1", "Node", "n")) == "Node n"


def status(code: int, reason: str) -> bytes:
    return json.dumps({"kind": "Status", "code": code, "reason": reason, "message": "in its words"}).encode()


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Expired),
        (410, "Gone", Expired),
        (422, "Invalid", KubeError),
        (500, "InternalError", KubeError),
    ],
)
def test_a_status_gets_its_type(code: int, reason: str, kind: type[KubeError]) -> None:
    error = from_response("cannot do it", code, status(code, reason))
    assert type(error) is kind
    assert str(error) == "cannot do it: in its words"
    assert (error.code, error.reason) == (code, reason)


@pytest.mark.parametrize(
    ("code", "body", "text"),
    [
        (404, b"404 page not found\n", "cannot do it: the API server has no such resource"),
        (503, b"<html>", "cannot do it: <html>"),
        (502, b"", "cannot do it: 502"),
        (401, b'"text"', 'cannot do it: "text"'),
    ],
)
def test_an_answer_that_is_no_status(code: int, body: bytes, text: str) -> None:
    error = from_response("cannot do it", code, body)
    assert str(error) == text
    assert error.code == code


def test_an_error_event_of_a_watch() -> None:
    event = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (9)"}
    assert isinstance(from_status("cannot watch", event), Expired)


def test_the_cause_is_told_without_its_wrappings() -> None:
    pool = urllib3.HTTPConnectionPool("localhost")
    cause = urllib3.exceptions.MaxRetryError(pool, "/x", OSError("connection refused"))
    assert str(Unreachable("cannot do it", cause)) == "cannot do it: no answer from the API server (connection refused)"


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot use this kubeconfig") as error:
        Kube(tmp_path / "none")
    assert error.value.where == str(tmp_path / "none")


@pytest.mark.parametrize(
    ("server", "bypassed"),
    [
        ("https://10.231.0.2:6443", True),
        ("https://127.0.0.1:1", True),
        ("https://[::1]:1", True),
        ("https://8.8.8.8", False),
    ],
)
def test_a_proxy_is_for_the_world_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, bypassed: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "")
    file = tmp_path / "config"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    pool = Kube(file)._client.rest_client.pool_manager
    assert isinstance(pool, urllib3.ProxyManager) is not bypassed
