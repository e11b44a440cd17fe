"""The demo's whole life, as its user has it: up, up again, looked at, promoted, broken, taken down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gitops_e2e.clusters.node.state import NodeState
from gitops_e2e.kube import Kube, Ref
from gitops_e2e.pipeline.kargo import FREIGHTS
from tests.clusters.kit import eventually, state_of, traces
from tests.harness.running import INTERRUPTIBLE, REPOSITORY

pytestmark = pytest.mark.node

_NAME = f"demo-{os.getpid()}"
_BOUND = 420
_COLOUR = "\x1b["
_ROLLOUTS = Ref("apps/v1", "Deployment", "argo-rollouts", "argo-rollouts")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def _run(*arguments: str) -> Ended:
    command = [*INTERRUPTIBLE, sys.executable, "-m", "gitops_e2e", *arguments, "--name", _NAME]
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_BOUND, check=False, stdin=subprocess.DEVNULL
    )
    assert _COLOUR not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def first() -> Iterator[Ended]:
    try:
        yield _run("up", "--cluster", "node")
    finally:
        _run("down")


@pytest.fixture(scope="module")
def state(first: Ended) -> NodeState:
    assert first.code == 0, first.err
    return state_of(_NAME)


@pytest.fixture
def kube(state: NodeState) -> Kube:
    return Kube(state.layout.kubeconfig)


def test_up_tells_where_it_answers_and_what_runs(first: Ended, state: NodeState) -> None:
    assert f"http://{state.subnet.node}:30089/health" in first.out
    assert f"export KUBECONFIG={state.layout.kubeconfig}" in first.out
    assert "Argo Rollouts" in first.out
    assert "no UI" in first.out
    assert "… deploying dev, staging and prod" in first.err


def test_up_again_changes_nothing(state: NodeState, kube: Kube) -> None:
    before = _versions(kube)

    again = _run("up")

    assert again.code == 0, again.err
    assert "runs already; nothing was changed" in again.err
    assert _versions(kube) == before
    assert state_of(_NAME) == state


def test_up_with_other_settings_is_refused(state: NodeState) -> None:
    other = _run("up", "--kargo", "engine", "--pull")

    assert other.code == 1
    assert "the demo runs already, with pull not given instead of yes" in other.err
    assert state_of(_NAME) == state


@pytest.mark.usefixtures("state")
def test_a_promotion_that_kargo_does_not_allow_is_refused_in_its_words() -> None:
    unknown = _run("promote", "prod", "--freight", "no-such-alias")
    refused = _run("promote", "prod")

    assert unknown.code == 1
    assert "there is no Freight called 'no-such-alias'; there is" in unknown.err
    assert refused.code == 1
    assert "Kargo refuses to promote" in refused.err
    assert "is not available to" in refused.err


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("stage", ["dev", "staging"])
def test_watch_shows_a_rollout_that_goes_through(stage: str, kube: Kube) -> None:
    _await_release(kube, stage)

    watched = _run("watch", stage)

    assert watched.code == 0, watched.err
    assert watched.out.splitlines()[-1].endswith("Healthy at step 6 of 6, weight 100")


@pytest.mark.usefixtures("state")
def test_status_is_healthy_until_the_canary_of_prod_is_taken_back(kube: Kube) -> None:
    _await_proven(kube, "staging")
    healthy = _run("status")
    promoted = _run("promote", "prod")
    watched = _run("watch", "prod")
    unhealthy = _run("status")

    assert healthy.code == 0, healthy.err
    assert "unhealthy" not in healthy.out
    assert promoted.code == 0, promoted.err
    assert "✓ sync Succeeded" in promoted.err
    assert watched.code == 1
    assert "did not go through: Degraded" in watched.err
    assert "weight 20" in watched.out
    assert "memory Failed" in watched.out
    assert unhealthy.code == 1
    assert "prod: Rollout kargo-demo-rollout in kargo-demo-prod: Degraded" in unhealthy.err


def test_status_names_a_component_that_is_broken(kube: Kube) -> None:
    kube.patch(_ROLLOUTS, {"spec": {"replicas": 0}})

    broken = _run("status")

    assert broken.code == 1
    assert "Argo Rollouts: Deployment argo-rollouts: it is scaled to 0: no pod of it is wanted" in broken.err


@pytest.mark.usefixtures("state")
def test_credentials_of_a_demo_that_needs_none() -> None:
    none = _run("credentials", "refresh")

    assert none.code == 0, none.err
    assert "there is no login that expires" in none.out


def test_down_leaves_nothing_and_twice_is_fine(state: NodeState) -> None:
    first, again = _run("down"), _run("down")

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert f"the demo {_NAME} is gone" in first.out
    assert "nothing to do" in again.out
    assert traces(state) == []


def test_status_without_a_demo_says_what_to_do() -> None:
    none = _run("status")

    assert none.code == 1
    assert f"to do: bring it up with `python -m gitops_e2e up --name {_NAME}`" in none.err


def _versions(kube: Kube) -> dict[str, str]:
    """What would change if anything was applied or made anew: generations, and the Secrets as they are."""
    kinds = (("apps/v1", "Deployment"), ("argoproj.io/v1alpha1", "ApplicationSet"), ("v1", "Secret"))
    objects = [each for kind in kinds for each in kube.list(kube.resource(*kind))]
    return {
        str(
            Ref.of(each)
        ): f"{each['metadata']['uid']} {each['metadata'].get('generation')} {json.dumps(each.get('data'))}"
        for each in objects
    }


def _await_release(kube: Kube, stage: str) -> None:
    """Until the stage's Rollout asks for 1.0.0."""

    def asked() -> bool:
        rollout = kube.get(Ref("argoproj.io/v1alpha1", "Rollout", "kargo-demo-rollout", f"kargo-demo-{stage}"))
        return any(":1.0.0" in each["image"] for each in rollout["spec"]["template"]["spec"]["containers"])

    assert eventually(asked, 240)


def _await_proven(kube: Kube, stage: str) -> None:
    """Until Freight is verified in the stage."""

    def proven() -> bool:
        freight = kube.list(FREIGHTS, "kargo-demo")
        return any(stage in (each.get("status", {}).get("verifiedIn") or {}) for each in freight)

    assert eventually(proven, 120)
