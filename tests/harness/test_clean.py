"""`make clean`, with a run folder and a cache of its own: the nodes of others are not to be ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_e2e.clusters.node.state import RUN_FOLDER
from tests.harness.running import REPOSITORY, with_mounts

pytestmark = pytest.mark.node

_OWN_MACHINE = with_mounts(f"mkdir -p {RUN_FOLDER}; mount -t tmpfs none {RUN_FOLDER}")
_NODE = """
import os, sys
from gitops_e2e.cache import Cache
from gitops_e2e.clean import main
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.network import Subnet
from gitops_e2e.clusters.node.state import NodeState, Registry

living = ProcessIdentity.of(os.getpid())
dead = ProcessIdentity(living.pid, living.started - 1, living.boot)
data = Cache.of_user().root / "nodes/one"
data.mkdir(parents=True)
Registry().save(NodeState("one", Subnet(16000), data, owner={who}, supervisor={who}))
"""

_ON_EXISTING = """
import os
from gitops_e2e.cache import Cache
from gitops_e2e.clean import main
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.contexts import Context
from pathlib import Path

server = {"server": "https://10.20.30.40:6443"}
run = Existing.take("one", Context("one", Path("kubeconfig"), "one", server, "one", {}))
"""
_OLD_ENTRY = """
import os, time
Cache.of_user().entry("things", "new", lambda folder: None)
old = Cache.of_user().entry("things", "old", lambda folder: None)
os.utime(old, (time.time() - 31 * 24 * 60 * 60,) * 2)
"""


def _clean(
    cache: Path, *options: str, before: str = "from gitops_e2e.clean import main; import sys"
) -> tuple[int, str]:
    """Clean after a Python script on the same machine: the exit code, and what was said."""
    done = subprocess.run(
        [*_OWN_MACHINE, sys.executable, "-c", f"{before}\nsys.exit(main({list(options)}))"],
        cwd=REPOSITORY,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_clean_machine_is_clean_already(tmp_path: Path) -> None:
    assert _clean(tmp_path) == (0, "")
    assert _clean(tmp_path, "--all") == (0, "")


def test_what_a_dead_run_left_goes_and_the_cache_stays(tmp_path: Path) -> None:
    assert _clean(tmp_path, before=_NODE.format(who="dead")) == (0, "  node one is gone\n")

    assert list((tmp_path / "gitops-e2e/nodes").iterdir()) == []


def test_of_the_cache_goes_what_nobody_has_used_for_long(tmp_path: Path) -> None:
    code, said = _clean(tmp_path, before=_NODE.format(who="dead") + _OLD_ENTRY)

    assert (code, said) == (0, "  node one is gone\n  removed things/old from the cache, as nobody used it\n")
    assert [path.name for path in (tmp_path / "gitops-e2e/things").iterdir()] == ["new"]


def test_nothing_goes_of_the_cache_while_a_node_runs(tmp_path: Path) -> None:
    code, said = _clean(tmp_path, before=_NODE.format(who="living") + _OLD_ENTRY)

    assert (code, said) == (0, "  nothing is removed from the cache, because of node one\n")
    assert (tmp_path / "gitops-e2e/things/old").is_dir()


def test_the_cache_goes_on_request(tmp_path: Path) -> None:
    code, said = _clean(tmp_path, "--all", before=_NODE.format(who="dead"))

    assert (code, said) == (0, f"  node one is gone\n  removed {tmp_path}/gitops-e2e\n")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_goes_on_keeps_its_node_and_its_cache(tmp_path: Path) -> None:
    code, said = _clean(tmp_path, "--all", before=_NODE.format(who="living"))

    assert code == 1
    assert "the cache is in use by node one" in said
    assert "to do: end the runs" in said
    assert (tmp_path / "gitops-e2e/nodes/one").is_dir()


def test_a_run_on_an_existing_cluster_keeps_its_kubeconfig(tmp_path: Path) -> None:
    code, said = _clean(tmp_path, "--all", before=f"import sys\n{_ON_EXISTING}")

    assert code == 1
    assert "the cache is in use by run one on an existing cluster" in said
