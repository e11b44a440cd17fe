"""What can go wrong with a node, as its user sees it."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError


class NodeUnavailable(HarnessError):
    """The machine, as it is, cannot run a node."""


class UnsuitableCgroups(NodeUnavailable):
    """The machine's control groups are neither a usable v1 nor a usable v2."""


class NodeExists(HarnessError):
    """A live node has that name already."""


class NodeNotFound(HarnessError):
    """No live node has that name."""


class NodeFailed(HarnessError):
    """The node did not start, or something in it died; the text holds its last log lines."""
