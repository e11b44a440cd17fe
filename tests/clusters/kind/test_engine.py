"""Which Docker engine is asked, and what is said of one that does not answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import EngineUnavailable
from gitops_e2e.images.archiving import NotPulled


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command in docker's place, which writes down how it is called."""
    command = tmp_path / "bin/docker"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\necho "$DOCKER_HOST $@" >> {tmp_path}/log\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    return command


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "docker.sock").touch()
    return Engine(tmp_path / "docker.sock")


def test_the_engine_is_the_one_at_the_usual_place() -> None:
    assert Engine.local({}).socket == Path("/var/run/docker.sock")
    assert Engine.local({"DOCKER_HOST": ""}).socket == Path("/var/run/docker.sock")


def test_the_environment_may_name_another_of_this_machine() -> None:
    assert Engine.local({"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}).socket == Path(
        "/run/user/1000/docker.sock"
    )


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://builder"])
def test_an_engine_of_another_machine_is_not_asked(host: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"DOCKER_HOST is {host}, which is no socket of this machine"):
        Engine.local({"DOCKER_HOST": host})


def test_only_its_version_is_asked_for_to_see_whether_it_answers(engine: Engine, docker: Path) -> None:
    assert engine.unavailable_because() is None
    asked = docker.parents[1].joinpath("log").read_text()
    assert asked == f"unix://{engine.socket} version --format={{{{.Server.Version}}}}\n"


def test_without_the_command_there_is_no_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert engine.unavailable_because() == "there is no command docker"


@pytest.mark.usefixtures("docker")
def test_without_the_socket_there_is_no_engine(tmp_path: Path) -> None:
    assert Engine(tmp_path / "gone").unavailable_because() == f"no Docker engine listens at {tmp_path}/gone"


def test_what_docker_says_of_an_engine_that_does_not_answer_is_the_reason(engine: Engine, docker: Path) -> None:
    docker.write_text("#!/bin/sh\necho 'permission denied' >&2; exit 1\n")

    reason = engine.unavailable_because()
    with pytest.raises(EngineUnavailable, match=r"permission denied\n  to do: start Docker, or let `make test-kind`"):
        engine.require()

    assert reason == f"the Docker engine at {engine.socket} does not answer: permission denied"


def test_a_container_that_is_still_being_made_is_removed_once_it_can_be(engine: Engine, docker: Path) -> None:
    """Until then Docker lists it, and removes nothing without saying so by its exit code."""
    log = docker.parents[1] / "log"
    listed = f'[ "$2" != ls ] || [ "$(grep -c " rm " {log})" -ge 3 ] || echo one-control-plane'
    docker.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{listed}\n')

    engine.remove_nodes("one")

    removals = [line for line in log.read_text().splitlines() if " rm " in line]
    assert removals == ["container rm --force --volumes one-control-plane"] * 3


def test_an_image_is_pulled_by_the_engine(engine: Engine, docker: Path) -> None:
    engine.pull("kindest/node:v1.34.0")
    assert (
        docker.parents[1].joinpath("log").read_text() == f"unix://{engine.socket} pull --quiet kindest/node:v1.34.0\n"
    )


def test_an_image_that_cannot_be_pulled_says_why(engine: Engine, docker: Path) -> None:
    docker.write_text("#!/bin/sh\necho 'no such host' >&2; exit 1\n")
    with pytest.raises(NotPulled, match=r"image kindest/node:v1\.34\.0 cannot be pulled: no such host"):
        engine.pull("kindest/node:v1.34.0")
