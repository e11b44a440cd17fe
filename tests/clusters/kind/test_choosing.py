"""Which provider a run takes, and the reason that is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.node import cgroups, requirements
from gitops_e2e.clusters.node.errors import NodeUnavailable
from gitops_e2e.clusters.providers import NoProvider, Provider


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    because = NodeUnavailable("this is Plan 9, and a node needs Linux", remedy="run it on Linux")
    monkeypatch.setattr(requirements, "unavailable", lambda: because)


@pytest.fixture
def a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "unavailable", lambda: None)


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "unavailable_because", lambda self: f"no Docker engine listens at {self.socket}")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")


@pytest.fixture
def an_engine(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setattr(Engine, "unavailable_because", lambda self: None)  # noqa: ARG005


@pytest.mark.usefixtures("a_node", "an_engine")
def test_auto_takes_the_node_where_it_can_run() -> None:
    assert Provider.choose("auto") == Provider("node", "auto: the built-in node can run here")


@pytest.mark.usefixtures("no_node", "an_engine")
def test_auto_takes_kind_where_a_local_engine_answers() -> None:
    why = "auto: the built-in node cannot run here, as this is Plan 9, and a node needs Linux; a Docker engine answers"
    assert Provider.choose("auto") == Provider("kind", why)


@pytest.mark.usefixtures("no_node", "no_engine")
def test_auto_without_both_says_why_of_both() -> None:
    with pytest.raises(
        NoProvider, match=r"this is Plan 9.*; and neither can kind: no Docker engine listens at /"
    ) as refused:
        Provider.choose("auto")
    assert refused.value.remedy == "run it on Linux; or start Docker"


@pytest.mark.parametrize("wanted", ["node", "auto"])
@pytest.mark.usefixtures("no_engine")
def test_what_to_do_about_control_groups_is_told(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "_effective_capabilities", lambda: ~0)
    monkeypatch.setattr(cgroups, "_mountinfo", lambda: "")
    with pytest.raises(NoProvider, match="fit neither version 1") as refused:
        Provider.choose(wanted)
    assert refused.value.where == "/proc/self/mountinfo"
    assert refused.value.remedy is not None
    assert refused.value.remedy.startswith("boot with `systemd.unified_cgroup_hierarchy=1`")


@pytest.mark.usefixtures("a_node", "an_engine")
def test_what_is_asked_for_is_taken() -> None:
    assert Provider.choose("node") == Provider("node", "asked for")
    assert Provider.choose("kind") == Provider("kind", "asked for")


@pytest.mark.usefixtures("no_node", "an_engine")
def test_a_node_that_is_asked_for_is_not_replaced_by_kind() -> None:
    with pytest.raises(NoProvider, match="the built-in node cannot run here: this is Plan 9"):
        Provider.choose("node")


@pytest.mark.usefixtures("a_node", "no_engine")
def test_kind_that_is_asked_for_is_not_replaced_by_the_node() -> None:
    with pytest.raises(NoProvider, match=r"kind cannot run here: no Docker engine listens(.|\n)*make test-kind"):
        Provider.choose("kind")


@pytest.mark.usefixtures("no_node")
def test_an_engine_of_another_machine_is_no_reason_for_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(NoProvider, match=r"DOCKER_HOST is tcp://10\.0\.0\.1:2375, which is no socket of this machine"):
        Provider.choose("auto")
