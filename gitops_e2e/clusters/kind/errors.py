"""What can go wrong with kind and with Docker, as their user sees it."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError


class KindUnavailable(HarnessError):
    """The machine, as it is, cannot run kind."""


class EngineUnavailable(KindUnavailable):
    """No local Docker engine answers."""


class EngineFailed(HarnessError):
    """A Docker engine that was started for kind did not start, or has died; or one does not do what it says."""


class ClusterExists(HarnessError):
    """A cluster has that name already."""


class ClusterNotFound(HarnessError):
    """No live kind cluster has that name."""


class KindFailed(HarnessError):
    """The kind cluster did not start, or cannot be reached."""
