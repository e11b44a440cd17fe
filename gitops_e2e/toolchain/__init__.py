"""The Go commands and modules of the stack, pinned in `toolchain/` and built on this machine."""

from gitops_e2e.toolchain.toolchain import Toolchain, ToolchainError

__all__ = ["Toolchain", "ToolchainError"]
