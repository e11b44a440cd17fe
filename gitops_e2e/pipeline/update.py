"""A Rollout's update as one looks at it as a whole: the Rollout, its steps, and every analysis of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import AnalysisRun, WithAnalyses
from gitops_e2e.pipeline.rollout import ROLLOUTS, Rollout
from gitops_e2e.watching import Impossible, Pending, Snapshot


@dataclass(frozen=True)
class Update:
    """A Rollout with its newest update. `steps` are the canary's, in words; `analyses` are of it, the oldest first."""

    rollout: Rollout
    steps: tuple[str, ...]
    analyses: tuple[AnalysisRun, ...]

    @staticmethod
    def of(manifest: Manifest, rollout: Rollout, analyses: Sequence[AnalysisRun]) -> Update:
        """The update of the Rollout that a manifest describes."""
        canary = (manifest["spec"].get("strategy") or {}).get("canary") or {}
        return Update(rollout, tuple(map(_words, canary.get("steps") or [])), tuple(analyses))

    @property
    def is_over(self) -> bool:
        """Whether it went through, or was given up: the controller does nothing more by itself."""
        return self.rollout.is_complete or self.rollout.phase == "Degraded"


@dataclass(frozen=True)
class WatchedUpdate(WithAnalyses):
    """The newest update of a Rollout."""

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Update of {self.rollout.title}"

    def read(self, snapshot: Snapshot) -> Update | Pending | Impossible:
        """The update, unless the Rollout's controller has yet to see what is asked of it."""
        rollout = self.rollout.read(snapshot)
        if not isinstance(rollout, Rollout):
            return rollout
        manifest = snapshot.find(ROLLOUTS, self.rollout.namespace, self.rollout.name) or {}
        return Update.of(manifest, rollout, self.analyses(snapshot, rollout))

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """The Rollout's conditions."""
        return self.rollout.conditions(snapshot)


def _words(step: Manifest) -> str:
    """A step as people say it: "weight 20", "pause 30s", "pause", "analysis"."""
    kind, value = next(iter(step.items()), ("", None))
    match kind:
        case "setWeight":
            return f"weight {value}"
        case "pause":
            return f"pause {(value or {}).get('duration', '')}".rstrip()
        case _:
            return kind
