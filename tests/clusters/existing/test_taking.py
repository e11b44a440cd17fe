"""What this machine keeps of a run on a cluster that exists."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing import cluster as existing
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.errors import ExistingExists, ExistingFailed, ExistingNotFound
from gitops_e2e.clusters.existing.forwarding import Forwarder
from gitops_e2e.clusters.existing.state import states
from gitops_e2e.clusters.node.identity import ProcessIdentity


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def context(server: str = "https://10.20.30.40:6443") -> Context:
    return Context("one", Path("kubeconfig"), "one", {"server": server}, "one", {"token": "hush"})


def test_the_kubeconfig_is_of_the_context_alone_and_for_its_user_alone(cache: Cache) -> None:
    cluster = Existing.take("run", context(), cache=cache)

    assert json.loads(cluster.kubeconfig.read_text()) == context().minified
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert cluster.scratch.is_dir()
    cluster.delete()


def test_it_is_found_by_its_name_until_it_is_let_go(cache: Cache) -> None:
    cluster = Existing.take("run", context(), cache=cache)

    assert Existing.attach("run", cache=cache).kubeconfig == cluster.kubeconfig
    cluster.delete()
    cluster.delete()
    with pytest.raises(ExistingNotFound, match=r"no run called run .*there are: none"):
        Existing.attach("run", cache=cache)
    assert not cluster.kubeconfig.exists()


def test_one_run_at_a_time_is_on_a_cluster(cache: Cache) -> None:
    cluster = Existing.take("run", context(), cache=cache)

    for name, where in (("other", context()), ("run", context("https://10.0.0.1"))):
        with pytest.raises(ExistingExists, match=f"a run called run is on .*held by process {os.getpid()}"):
            Existing.take(name, where, cache=cache)
    beside = Existing.take("other", context("https://10.0.0.1"), cache=cache)
    for each in (cluster, beside):
        each.delete()


def test_what_a_killed_run_left_is_forgotten_by_the_next(cache: Cache) -> None:
    cluster = Existing.take("run", context(), cache=cache)
    state = states(cache).find("run")
    assert state
    assert state.owner
    states(cache).save(replace(state, owner=_ended()))

    with pytest.raises(ExistingNotFound):
        Existing.attach("run", cache=cache)
    again = Existing.take("other", context(), cache=cache)
    assert not cluster.kubeconfig.exists()
    again.delete()


def test_a_kept_run_stays_until_it_is_swept(cache: Cache) -> None:
    Existing.take("run", context(), cache=cache).keep()

    assert Existing.sweep(cache=cache) == []
    assert Existing.attach("run", cache=cache).name == "run"
    assert Existing.sweep(kept=True, cache=cache) == ["run"]


class Reached:
    """What `reach` is told and does, without a cluster: which nodes answer is the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: str | None) -> None:
        self.open: set[int] = set()
        self.answers = answers
        monkeypatch.setattr(existing, "Kube", lambda _: None)
        monkeypatch.setattr(existing, "node_addresses", lambda _: ["10.0.0.1", "10.0.0.2"])
        monkeypatch.setattr(existing, "answering", lambda _addresses, _port: self.answers)
        monkeypatch.setattr(Forwarder, "of", lambda _, ports: Forwarding(self, ports))


class Forwarding:
    """In the place of a Forwarder."""

    def __init__(self, reached: Reached, ports: set[int]) -> None:
        self._reached, self._ports = reached, ports

    def start(self) -> None:
        self._reached.open |= self._ports

    def close(self) -> None:
        self._reached.open -= self._ports


def test_a_node_that_answers_is_where_all_processes_reach_node_ports(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = Reached(monkeypatch, "10.0.0.2")
    cluster = Existing.take("run", context(), cache=cache)
    with pytest.raises(ExistingFailed, match="nobody has found out yet"):
        _ = cluster.address

    assert cluster.reach({30500}) == "at 10.0.0.2"
    assert (cluster.address, reached.open) == ("10.0.0.2", set())
    assert Existing.attach("run", cache=cache).address == "10.0.0.2"
    cluster.delete()


def test_where_none_answers_the_process_that_has_the_run_forwards_and_others_use_that(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = Reached(monkeypatch, None)
    cluster = Existing.take("run", context(), cache=cache)

    words = cluster.reach({30500})

    assert words == "through the API server, on 127.0.0.1 (no node answers at 10.0.0.1, 10.0.0.2)"
    assert reached.open == {30500}
    assert Existing.attach("run", cache=cache).address == "127.0.0.1"
    cluster.delete()
    assert reached.open == set()


def test_a_kept_run_is_forwarded_anew_by_whoever_takes_it_up(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = Reached(monkeypatch, None)
    cluster = Existing.take("run", context(), cache=cache)
    cluster.reach({30500})
    cluster.keep()
    assert reached.open == set()

    again = Existing.attach("run", cache=cache)
    again.reach({30500, 30080})
    assert reached.open == {30500, 30080}
    reached.answers = "10.0.0.1"
    assert again.reach({30500, 30080}) == "at 10.0.0.1"
    assert reached.open == set()
    again.delete()


def test_what_another_process_reaches_is_not_forwarded_twice(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = Reached(monkeypatch, None)
    Existing.take("run", context(), cache=cache).keep()
    with _process() as other:
        state = states(cache).find("run")
        assert state
        states(cache).save(replace(state, owner=other, address="127.0.0.1"))

        words = Existing.attach("run", cache=cache).reach({30500})

    assert words == f"at 127.0.0.1, as process {other.pid} reaches them"
    assert reached.open == set()


def test_a_bad_name_is_refused(cache: Cache) -> None:
    with pytest.raises(ExistingFailed, match="is no name for a run"):
        Existing.take("../run", context(), cache=cache)


def _ended() -> ProcessIdentity:
    with _process() as identity:
        pass
    return identity


@contextmanager
def _process() -> Iterator[ProcessIdentity]:
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield ProcessIdentity.of(process.pid)
    finally:
        process.kill()
        process.wait()
