"""Commands built from the Go modules of `toolchain/`, and the folders of the modules they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
_ONE_DISK = 2**30
_ONE_MEMORY = 2**30


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
        return self.binaries(self._having(name).name) / name

    def command(self, name: str) -> Path:
        """The command of that name, built alone where its module is not built yet; raises as `binary`."""
        module = self._having(name)
        build = self._build(module)
        if folder := self.cache.find("binaries", build.key):
            return folder / name
        return (
            self.cache.entry("commands", f"{name}-{build.key}", lambda folder: build.one_command(name, folder)) / name
        )

    def binaries(self, module_name: str) -> Path:
        """The folder of all commands of one module of `toolchain/` ("stack"); builds and raises as `binary`."""
        build = self._build(self._module(module_name))
        return self.cache.entry("binaries", build.key, build.all_commands)

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

    def _having(self, command: str) -> GoModule:
        for module in self.modules:
            if command in _commands(module).values():
                return module
        known = sorted(name for module in self.modules for name in _commands(module).values())
        raise ToolchainError(
            f"no Go module of the toolchain has a command {command}",
            remedy=f"add a tool directive, or use one of: {', '.join(known)}",
        )

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

    def _build(self, module: GoModule) -> _Build:
        stamps = (f"-X {stamp.variable}={stamp.text(self.version(stamp.module))}" for stamp in module.stamps)
        return _Build(module, self._go(module), " ".join(["-s -w", *stamps]))


@dataclass(frozen=True)
class _Build:
    """How the commands of a module are built."""

    module: GoModule
    go: Go
    linker_flags: str

    @property
    def key(self) -> str:
        """The name of what is built, by all that goes into it."""
        content = digest(self.module.folder, json.dumps(_commands(self.module)), self.linker_flags, self.go.version)
        return f"{self.module.name}-{content}"

    def all_commands(self, folder: Path) -> None:
        """Put all commands of the module into a folder."""
        what = f"building the Go commands of {self.module.name}"
        self._require(what, self.module.disk, self.module.memory)
        self._install(["tool"], _commands(self.module), folder, what)

    def one_command(self, name: str, folder: Path) -> None:
        """Put one command into a folder."""
        ((package, _),) = (each for each in _commands(self.module).items() if each[1] == name)
        what = f"building the Go command {name}"
        self._require(what, _ONE_DISK, _ONE_MEMORY)
        self._install([package], {package: name}, folder, what)

    def _require(self, what: str, disk: int, memory: int) -> None:
        asked = self.go.run(["env", "GOCACHE"], folder=self.module.folder, timeout=_ASKING_BOUND)
        require_disk(Path(asked.stdout.strip()), disk, purpose=what)
        require_memory(memory, purpose=what)

    def _install(self, targets: Sequence[str], commands: Mapping[str, str], folder: Path, what: str) -> None:
        with doing(f"{what} (which takes minutes where Go's own cache is empty)"):
            self.go.run(
                ["install", "-trimpath", "-buildvcs=false", f"-ldflags={self.linker_flags}", *targets],
                folder=self.module.folder,
                timeout=_BUILD_BOUND,
                env={"GOBIN": str(folder)},
            )
        for package, name in commands.items():
            (folder / command_name(package)).rename(folder / name)


def _commands(module: GoModule) -> dict[str, str]:
    """The package path of each tool with the name of its command here."""
    tools = GoMod.read(module.folder / "go.mod").tools
    return {package: module.names.get(package, command_name(package)) for package in tools}
