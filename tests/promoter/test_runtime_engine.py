"""The engine as a process of its own: started, used, ended, killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.accounts import in_cluster_kubeconfig
from gitops_e2e.promoter.admission.server import KeyPair
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.engine import Address, Settings
from tests.promoter.engine_process import WAIT, Place, an_object, until, webhooks

pytestmark = pytest.mark.node

FREIGHT = {
    "origin": {"kind": "Warehouse", "name": "demo"},
    "images": [{"repoURL": "127.0.0.1:9/api", "tag": "1.0.0", "digest": "sha256:" + "a" * 64}],
}


@pytest.fixture(scope="module")
def place(apiserver: Path, tools: Path, serving_keys: KeyPair, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place.make(apiserver, tools, tmp_path_factory.mktemp("engine"), serving_keys)


def a_pipeline(kube: Kube, project: str, *steps: Manifest) -> None:
    """A Project with one Stage that Freight is promoted to by itself."""
    kube.create(an_object("Project", project))
    policy = {"stageSelector": {"name": "dev"}, "autoPromotionEnabled": True}
    kube.create(an_object("ProjectConfig", project, project, spec={"promotionPolicies": [policy]}))
    subscription = {"image": {"repoURL": "127.0.0.1:9/api"}}
    kube.create(
        an_object(
            "Warehouse", "demo", project, spec={"freightCreationPolicy": "Manual", "subscriptions": [subscription]}
        )
    )
    spec = {
        "requestedFreight": [{"origin": FREIGHT["origin"], "sources": {"direct": True}}],
        "promotionTemplate": {"spec": {"steps": list(steps)}},
    }
    kube.create(an_object("Stage", "dev", project, spec=spec))
    until("stage", lambda: ready(kube, project) == "NoFreight")


def ready(kube: Kube, project: str) -> str:
    status = kube.get(Ref(API_VERSION, "Stage", "dev", project)).get("status", {})
    found = [one["reason"] for one in status.get("conditions", []) if one["type"] == "Ready"]
    return found[0] if found else ""


def promotions(kube: Kube, project: str) -> list[Manifest]:
    return kube.list(kube.resource(API_VERSION, "Promotion"), project)


def test_freight_is_promoted_and_sigterm_ends_the_engine(place: Place, kube: Kube, serving_keys: KeyPair) -> None:
    with place.engine() as (process, url), webhooks(kube, url, serving_keys):
        a_pipeline(kube, "engine-one", {"uses": "compose-output", "config": {"v": "${{ 1 + 1 }}"}})
        freight = kube.create(an_object("Freight", "any", "engine-one", **FREIGHT))
        until("verified", lambda: ready(kube, "engine-one") == "Verified")
        (promotion,) = promotions(kube, "engine-one")
        assert promotion["spec"]["freight"] == freight["metadata"]["name"]
        assert promotion["metadata"]["ownerReferences"][0]["kind"] == "Stage"
        assert promotion["status"]["state"] == {"step-1": {"v": 2}}
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0


class _Gate(ThreadingHTTPServer):
    """Answers 503 until it is opened; counts the requests."""

    def __init__(self) -> None:
        gate = self
        self.asked = 0
        self.opened = False

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate.asked += 1
                self.send_response(200 if gate.opened else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def gate() -> Iterator[_Gate]:
    with _Gate() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_killed_engine_goes_on_where_it_was(place: Place, kube: Kube, serving_keys: KeyPair, gate: _Gate) -> None:
    step = {
        "uses": "http",
        "config": {
            "url": f"http://127.0.0.1:{gate.server_address[1]}/",
            "successExpression": "response.status == 200",
        },
    }
    with place.engine() as (process, url):
        with webhooks(kube, url, serving_keys):
            a_pipeline(kube, "engine-two", step)
            kube.create(an_object("Freight", "any", "engine-two", **FREIGHT))
            until("asked", lambda: gate.asked)
        process.kill()
        process.wait(10)
    gate.opened = True
    with place.engine():
        until("verified", lambda: ready(kube, "engine-two") == "Verified")
    (promotion,) = promotions(kube, "engine-two")
    assert promotion["status"]["phase"] == "Succeeded"
    stage = kube.get(Ref(API_VERSION, "Stage", "dev", "engine-two"))
    assert len(stage["status"]["freightHistory"]) == 1


def test_an_engine_without_a_certificate_says_so(place: Place, tmp_path: Path) -> None:
    argv: list[str | Path] = [
        *(sys.executable, "-m", "gitops_e2e.promoter", "--kubeconfig", place.kubeconfig, "--tools", place.tools),
        *("--webhook-address", "127.0.0.1:0", "--cert", tmp_path, "--work-dir", tmp_path / "work"),
    ]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("no serving certificate: ")
    assert ended.stdout == ""


def test_a_pods_account_is_used_by_a_kubeconfig(
    apiserver: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load(apiserver.read_text())
    cluster = config["clusters"][0]["cluster"]
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "token").write_text(config["users"][0]["user"]["token"])
    (mount / "ca.crt").write_bytes(Path(cluster["certificate-authority"]).read_bytes())
    host, port = cluster["server"].removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    kube = Kube(in_cluster_kubeconfig(tmp_path, mount))
    assert json.loads(kube.raw("/api/v1/namespaces/default"))["kind"] == "Namespace"


def test_outside_of_a_pod_a_kubeconfig_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(HarnessError, match="this is no pod") as refused:
        in_cluster_kubeconfig(tmp_path)
    assert "--kubeconfig" in str(refused.value)


def test_addresses_and_settings_are_read() -> None:
    assert Address.parse("[::1]:9443") == Address("[::1]", 9443)
    with pytest.raises(ValueError, match="HOST:PORT"):
        Address.parse("9443")
    assert Settings.of({}) == Settings()
    environment = {
        "ARGOCD_NAMESPACE": "cd",
        "ALLOW_CREDENTIALS_OVER_HTTP": "true",
        "GLOBAL_CREDENTIALS_NAMESPACES": "one, two",
        "MIN_WAREHOUSE_RECONCILIATION_INTERVAL": "90s",
    }
    assert Settings.of(environment) == Settings(
        argocd_namespace="cd",
        credentials_over_http=True,
        global_credentials_namespaces=("one", "two"),
        minimum_warehouse_interval=timedelta(seconds=90),
    )
    with pytest.raises(HarnessError, match="MIN_WAREHOUSE_RECONCILIATION_INTERVAL: '5' is no duration"):
        Settings.of({"MIN_WAREHOUSE_RECONCILIATION_INTERVAL": "5"})
