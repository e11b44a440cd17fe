"""What can be wrong with a cluster that exists."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError


class ContextRefused(HarnessError):
    """The kubeconfig has no such context, or one that is not used without being named on purpose."""


class ExistingExists(HarnessError):
    """A run is on this cluster, or has this name."""


class ExistingNotFound(HarnessError):
    """No run of this name is on an existing cluster."""


class ExistingFailed(HarnessError):
    """The cluster does not answer any more, or is not as a run needs it."""


class PermissionsMissing(HarnessError):
    """The user of the kubeconfig may not do what a run has to."""


class PreflightRefused(HarnessError):
    """Something on the cluster is not as a run could use it, and not the run's to change."""
