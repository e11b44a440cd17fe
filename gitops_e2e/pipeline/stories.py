"""What is watched of pipelines during a run, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.kube import Resource
from gitops_e2e.pipeline import analysis, application, events, pods, replica_sets, rollout
from gitops_e2e.watching import Narrator

STORIES: Mapping[Resource, Narrator] = {
    application.APPLICATIONS: application.narrate,
    rollout.ROLLOUTS: rollout.narrate,
    replica_sets.REPLICA_SETS: replica_sets.narrate,
    analysis.ANALYSIS_RUNS: analysis.narrate,
    pods.PODS: pods.narrate,
    events.EVENTS: events.narrate,
}
