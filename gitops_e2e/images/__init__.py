"""The images of the stack and of the demo: built on this machine, never pulled."""

from gitops_e2e.images.images import Images

__all__ = ["Images"]
