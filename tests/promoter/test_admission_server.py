"""The admission server itself: renewed certificates, answers to what goes wrong, what the API server is told."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import KubeError, Manifest
from gitops_e2e.promoter.admission.configuration import (
    AtUrl,
    BehindService,
    CaBundle,
    InjectedBy,
    configurations,
    is_trusted,
    serving_certificate,
)
from gitops_e2e.promoter.admission.refusals import denied
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair, answer

USER = {"username": "admin", "groups": ["system:masters"]}


class Doing:
    """Rules that do what a test says."""

    def __init__(self, deed: Callable[[Review], None]) -> None:
        self.deed = deed

    def default(self, review: Review) -> None:
        self.deed(review)

    def validate(self, review: Review) -> None:
        self.deed(review)


def a_review(**request: Any) -> Manifest:
    asked = {
        "uid": "one",
        "operation": "CREATE",
        "resource": {"group": "kargo.akuity.io", "version": "v1alpha1", "resource": "stages"},
        "namespace": "demo",
        "userInfo": USER,
        "object": {"metadata": {"name": "dev", "labels": {"a/b": "c"}}, "spec": {"steps": [1]}},
        **request,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": asked}


def answered(path: str, deed: Callable[[Review], None], **request: Any) -> Manifest:
    response: Manifest = answer({"stages": Doing(deed)}, path, a_review(**request))["response"]
    return response


def ask(port: int, certificate: bytes) -> Manifest:
    context = ssl.create_default_context(cadata=certificate.decode())
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    with closing(connection):
        connection.request("POST", "/validate?timeout=10s", json.dumps(a_review()))
        parsed: Manifest = json.load(connection.getresponse())
        return parsed


def test_what_is_filled_in_is_a_patch() -> None:
    def deed(review: Review) -> None:
        metadata = review.object["metadata"]
        metadata["labels"] = {"x~y": "z"}
        metadata["annotations"] = {"new": "one"}
        review.object["spec"]["steps"] = [1, 2]

    response = answered("/mutate", deed)
    assert (response["uid"], response["allowed"], response["patchType"]) == ("one", True, "JSONPatch")
    patch = json.loads(base64.b64decode(response["patch"]))
    assert sorted(patch, key=lambda operation: str(operation["path"])) == [
        {"op": "add", "path": "/metadata/annotations", "value": {"new": "one"}},
        {"op": "remove", "path": "/metadata/labels/a~1b"},
        {"op": "add", "path": "/metadata/labels/x~0y", "value": "z"},
        {"op": "replace", "path": "/spec/steps", "value": [1, 2]},
    ]


def test_nothing_filled_in_is_no_patch() -> None:
    assert answered("/mutate", lambda _review: None) == {"uid": "one", "allowed": True}


def test_a_refusal_is_a_status() -> None:
    def deed(_review: Review) -> None:
        raise denied("no")

    for path in ("/mutate", "/validate"):
        response = answered(path, deed)
        assert not response["allowed"]
        status = response["status"]
        assert (status["code"], status["reason"], status["message"]) == (403, "Forbidden", "no")


def test_a_request_that_cannot_be_judged_is_refused() -> None:
    def deed(_review: Review) -> None:
        raise KubeError("cannot read it", {"message": "away"})

    status = answered("/validate", deed)["status"]
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert "cannot read it: away" in status["message"]


def test_a_renewed_certificate_is_served(serving_keys: KeyPair, other_serving_keys: KeyPair) -> None:
    current = [serving_keys]
    with AdmissionServer({"stages": Doing(lambda _review: None)}, lambda: current[0]) as server:
        assert ask(server.port, serving_keys.certificate)["response"]["allowed"]
        current[0] = other_serving_keys
        assert ask(server.port, other_serving_keys.certificate)["response"]["allowed"]


def test_a_silent_client_does_not_hold_up_the_others(serving_keys: KeyPair) -> None:
    with (
        AdmissionServer({"stages": Doing(lambda _review: None)}, lambda: serving_keys) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10),
    ):
        assert ask(server.port, serving_keys.certificate)["response"]["allowed"]


def test_an_address_that_is_taken_is_told(serving_keys: KeyPair) -> None:
    with (
        AdmissionServer({}, lambda: serving_keys) as server,
        pytest.raises(HarnessError, match="cannot serve admission webhooks") as error,
    ):
        AdmissionServer({}, lambda: serving_keys, port=server.port)
    assert str(server.port) in str(error.value)


def test_the_api_server_asks_what_kargo_is_asked() -> None:
    mutating, validating = configurations(AtUrl("https://10.0.0.2:9443"), CaBundle(b"ca"))

    def asked(configuration: Manifest) -> dict[str, list[tuple[list[str], list[str]]]]:
        return {
            webhook["name"].removesuffix(".kargo.akuity.io"): [
                (rule["resources"], rule["operations"]) for rule in webhook["rules"]
            ]
            for webhook in configuration["webhooks"]
        }

    written = ["CREATE", "UPDATE"]
    assert asked(mutating) == {
        kind: [([f"{kind}s"], written)] for kind in ("freight", "promotion", "stage", "warehouse")
    }
    told = asked(validating)
    assert told["freight"] == [(["freights"], [*written, "DELETE"]), (["freights/status"], ["UPDATE"])]
    assert told["promotion"] == [(["promotions"], [*written, "DELETE"])]
    assert told["project"] == [(["projects"], written)]
    for webhook in [*mutating["webhooks"], *validating["webhooks"]]:
        assert webhook["failurePolicy"] == "Fail"
        assert webhook["clientConfig"]["url"].startswith("https://10.0.0.2:9443/")
    assert is_trusted(mutating)


def test_cert_manager_gives_the_certificate_and_its_authority() -> None:
    server = BehindService("kargo", "kargo-webhooks-server")
    issuer, certificate = serving_certificate(server, secret="cert")
    assert issuer["kind"] == "Issuer"
    assert certificate["spec"]["dnsNames"] == ["kargo-webhooks-server.kargo.svc"]
    for configuration in configurations(server, InjectedBy("kargo", certificate["metadata"]["name"])):
        annotations = configuration["metadata"]["annotations"]
        assert annotations == {"cert-manager.io/inject-ca-from": "kargo/kargo-webhooks-server"}
        assert not is_trusted(configuration)
        service = configuration["webhooks"][0]["clientConfig"]["service"]
        assert (service["namespace"], service["name"]) == ("kargo", "kargo-webhooks-server")
