"""A run on a cluster whose Argo CD and Argo Rollouts are of other versions than those that the harness installs."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.toolchain.modules import MODULES
from tests.clusters.existing.apart import a_cluster_apart
from tests.harness.running import run

pytestmark = [pytest.mark.node, pytest.mark.long]

_EARLIER = Path(__file__).parent / "earlier/stack"
_SCENARIOS = "prod_canary_exceeds_150mb_and_rolls_back or (good_canary_goes_through and dev)"
_BOUND = 1200.0


def test_a_canary_is_judged_by_versions_of_somebody_else() -> None:
    toolchain = Toolchain(Cache.of_user())
    earlier = Toolchain(toolchain.cache, (replace(MODULES[0], folder=_EARLIER), *MODULES[1:]))

    with a_cluster_apart(f"earlier-{os.getpid()}", toolchain, theirs=earlier) as cluster:
        where = ("--cluster", "existing", "--kubeconfig", str(cluster.kubeconfig))
        code, text = run(*where, "-k", _SCENARIOS, bound=_BOUND)

        assert code == 0, text
        for row in (r"Argo CD +v3\.2\.6 +v3\.2\.11 +use as it is", r"Argo Rollouts +v1\.9\.0 +v1\.9\.2 +use as it is"):
            assert re.search(row, text), text
        assert run(*where, "--uninstall", bound=_BOUND)[0] == 0
