"""The images of the stack and of the demo: built on this machine, or given as archives; pulled only on demand."""

from gitops_e2e.images.images import Images

__all__ = ["Images"]
