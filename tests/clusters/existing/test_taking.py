"""What this machine keeps of a run on a cluster that exists."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.errors import ExistingExists, ExistingFailed, ExistingNotFound
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


def test_a_bad_name_is_refused(cache: Cache) -> None:
    with pytest.raises(ExistingFailed, match="is no name for a run"):
        Existing.take("../run", context(), cache=cache)


def _ended() -> ProcessIdentity:
    process = subprocess.Popen(["sleep", "60"])
    identity = ProcessIdentity.of(process.pid)
    process.kill()
    process.wait()
    return identity
