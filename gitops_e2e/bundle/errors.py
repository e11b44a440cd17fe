"""What can be wrong with a bundle."""

from gitops_e2e.errors import HarnessError


class BundleError(HarnessError):
    """A bundle, or an archive in it, is not what it has to be."""
