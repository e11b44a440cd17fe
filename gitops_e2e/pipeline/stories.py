"""What is watched of pipelines during a run, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.kube import PODS, Resource
from gitops_e2e.pipeline import (
    analysis,
    application,
    events,
    freight,
    kargo,
    pods,
    promotion,
    replica_sets,
    rollout,
    stage,
    warehouse,
)
from gitops_e2e.watching import Narrator

STORIES: Mapping[Resource, Narrator] = {
    kargo.WAREHOUSES: warehouse.narrate,
    kargo.FREIGHTS: freight.narrate,
    kargo.STAGES: stage.narrate,
    kargo.PROMOTIONS: promotion.narrate,
    application.APPLICATIONS: application.narrate,
    rollout.ROLLOUTS: rollout.narrate,
    replica_sets.REPLICA_SETS: replica_sets.narrate,
    analysis.ANALYSIS_RUNS: analysis.narrate,
    PODS: pods.narrate,
    events.EVENTS: events.narrate,
}
