"""A run that is killed, whatever it is at: nothing of it goes on, and the next one of that name is as the first."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from gitops_e2e.clusters.node.state import Registry
from tests.clusters.kit import eventually, is_gone, random_moments, traces, unique
from tests.harness.running import run, running

pytestmark = [pytest.mark.node, pytest.mark.long]

_KILLS = 4
_LONGEST = 75.0
"""Seconds in which a run has its stack, and is at scenarios with pods."""


def _group_is_gone(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_killed_run_takes_everything_with_it_at_any_moment(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        moments = random_moments()
    name = unique("killed")
    for _ in range(_KILLS):
        after = moments.uniform(0, _LONGEST)
        with running("-n", "2", "-k", "three_stages or good_canary", "--cluster-name", name) as one:
            time.sleep(after)  # the moment itself is what is tried
            state = Registry().find(name)
            one.process.send_signal(signal.SIGKILL)
            one.end()
            assert eventually(partial(_group_is_gone, one.process.pid)), f"killed after {after:.1f} s: {one.text}"
        if state:
            assert eventually(partial(is_gone, state)), f"killed after {after:.1f} s: {traces(state)}"

    code, text = run("-k", "Kubernetes", "--cluster-name", name)

    assert code == 0, text
