"""Commands built from the Go modules of `toolchain/`, and the folders of the modules they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.errors import HarnessError
from gitops_e2e.machine.capacity import require_disk, require_memory
from gitops_e2e.progress import doing
from gitops_e2e.toolchain.go import Go, find_go
from gitops_e2e.toolchain.gomod import GoMod, command_name
from gitops_e2e.toolchain.modules import MODULES, GoModule

_BUILD_BOUND = 40 * 60.0
_DOWNLOAD_BOUND = 10 * 60.0
_ASKING_BOUND = 30.0


class ToolchainError(HarnessError):
    """A command or module was asked for that `toolchain/` does not have."""


@dataclass(frozen=True)
class Toolchain:
    """The pinned Go commands; what is built is kept in the cache, keyed by all that goes into it."""

    cache: Cache
    modules: tuple[GoModule, ...] = MODULES

    def binary(self, name: str) -> Path:
        """The command of that name ("kube-apiserver", "argocd"), built with all others of its module if missing.

        Raises ToolchainError for an unknown name, TooLittleDisk or TooLittleMemory before a build that could
        not end well, and CommandFailed when it fails.
        """
        for module in self.modules:
            if name in _commands(module).values():
                return self.binaries(module.name) / name
        known = sorted(command for module in self.modules for command in _commands(module).values())
        raise ToolchainError(
            f"no Go module of the toolchain has a command {name}",
            remedy=f"add a tool directive, or use one of: {', '.join(known)}",
        )

    def binaries(self, module_name: str) -> Path:
        """The folder of all commands of one module of `toolchain/` ("stack"); builds and raises as `binary`."""
        module = self._module(module_name)
        go = self._go(module)
        flags = self._linker_flags(module)
        key = digest(module.folder, json.dumps(_commands(module)), flags, go.version)
        return self.cache.entry("binaries", f"{module.name}-{key}", lambda folder: _build(module, go, flags, folder))

    def module_dir(self, path: str) -> Path:
        """The folder of a required module's source ("github.com/argoproj/argo-cd/v3"), downloaded if missing.

        It lies in Go's module cache: read it, never write to it. Raises ToolchainError and CommandFailed.
        """
        module = self._requiring(path)
        download = self._go(module).run(
            ["mod", "download", "-json", path], folder=module.folder, timeout=_DOWNLOAD_BOUND
        )
        return Path(json.loads(download.stdout)["Dir"])

    def version(self, path: str) -> str:
        """The version of a required module ("v3.2.11"), read from go.mod; raises ToolchainError."""
        return GoMod.read(self._requiring(path).folder / "go.mod").requirements[path]

    def _module(self, name: str) -> GoModule:
        for module in self.modules:
            if module.name == name:
                return module
        raise ToolchainError(f"the toolchain has no Go module {name}", where="gitops_e2e/toolchain/modules.py")

    def _requiring(self, path: str) -> GoModule:
        for module in self.modules:
            if path in GoMod.read(module.folder / "go.mod").requirements:
                return module
        raise ToolchainError(
            f"no go.mod of the toolchain requires {path}", remedy="check the path, its major version included"
        )

    def _go(self, module: GoModule) -> Go:
        return find_go(self.cache, GoMod.read(module.folder / "go.mod").go)

    def _linker_flags(self, module: GoModule) -> str:
        stamps = (f"-X {stamp.variable}={stamp.text(self.version(stamp.module))}" for stamp in module.stamps)
        return " ".join(["-s -w", *stamps])


def _commands(module: GoModule) -> dict[str, str]:
    """The package path of each tool with the name of its command here."""
    tools = GoMod.read(module.folder / "go.mod").tools
    return {package: module.names.get(package, command_name(package)) for package in tools}


def _build(module: GoModule, go: Go, linker_flags: str, folder: Path) -> None:
    commands = _commands(module)
    what = f"building the Go commands of {module.name}"
    go_cache = Path(go.run(["env", "GOCACHE"], folder=module.folder, timeout=_ASKING_BOUND).stdout.strip())
    require_disk(go_cache, module.disk, purpose=what)
    require_memory(module.memory, purpose=what)
    with doing(f"{what} (which takes minutes where Go's own cache is empty)"):
        go.run(
            ["install", "-trimpath", "-buildvcs=false", f"-ldflags={linker_flags}", "tool"],
            folder=module.folder,
            timeout=_BUILD_BOUND,
            env={"GOBIN": str(folder)},
        )
    for package, name in commands.items():
        (folder / command_name(package)).rename(folder / name)
