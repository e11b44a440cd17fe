"""What is collected of a scenario: always, and when it failed."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.evidence.collectors import analyses, deeds, git, logs, metrics, objects, registry, timeline
from gitops_e2e.evidence.scene import Collector

ALWAYS: Mapping[str, Collector] = {
    "commands": deeds.commands,
    "manifests applied": deeds.manifests,
    "timeline": timeline.collect,
    "manifests in Git": git.manifests,
}

OF_FAILURES: Mapping[str, Collector] = {
    "objects": objects.collect,
    "events": objects.events,
    "analyses": analyses.collect,
    "logs of pods": logs.of_pods,
    "logs of controllers": logs.of_controllers,
    "metrics": metrics.collect,
    "Git log": git.log,
    "registry tags": registry.collect,
}
