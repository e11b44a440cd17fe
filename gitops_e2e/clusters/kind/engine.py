"""The Docker engine of this machine: asked, given images, never started, stopped or configured here."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.clusters.kind.errors import EngineFailed, EngineUnavailable
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.images.archiving import not_pulled
from gitops_e2e.progress import doing

_USUAL = "/var/run/docker.sock"
_PROBE_BOUND = 10.0
_ASK_BOUND = 30.0
_LOAD_BOUND = 300.0
_PULL_BOUND = 900.0
_REMOVAL_BOUND = 60.0
_POLL = 0.1
_CLUSTER_LABEL = "io.x-k8s.kind.cluster"


@dataclass(frozen=True)
class Engine:
    """An engine by the path of its socket."""

    socket: Path

    @staticmethod
    def local(environment: Mapping[str, str] = os.environ) -> Engine:
        """The engine at DOCKER_HOST's socket, by default at the usual one. Raises EngineUnavailable for a remote one.

        kind's clusters are reached at addresses of this machine, so no other machine's engine will do.
        """
        host = environment.get("DOCKER_HOST") or f"unix://{_USUAL}"
        if not host.startswith("unix://"):
            raise EngineUnavailable(
                f"DOCKER_HOST is {host}, which is no socket of this machine",
                remedy="unset it, or let it name a local engine (unix:///var/run/docker.sock)",
            )
        return Engine(Path(host.removeprefix("unix://")))

    @property
    def environment(self) -> Mapping[str, str]:
        """By which docker, and kind, know the engine."""
        return {"DOCKER_HOST": f"unix://{self.socket}"}

    def unavailable_because(self) -> str | None:
        """Why the engine does not answer; None if it does."""
        if shutil.which("docker") is None:
            return "there is no command docker"
        if not self.socket.exists():
            return f"no Docker engine listens at {self.socket}"
        try:
            self.docker("version", "--format={{.Server.Version}}", timeout=_PROBE_BOUND)
        except CommandFailed as error:
            return f"the Docker engine at {self.socket} does not answer: {(error.output.strip() or str(error))}"
        return None

    def require(self) -> None:
        """Raise EngineUnavailable unless the engine answers."""
        reason = self.unavailable_because()
        if reason:
            raise EngineUnavailable(reason, remedy="start Docker, or let `make test-kind` start an engine of its own")

    def has_image(self, reference: str) -> bool:
        """Whether the engine has this image."""
        return bool(self.docker("image", "ls", "--quiet", reference))

    def load(self, archive: Path) -> None:
        """Give the engine the image of a docker archive. Raises CommandFailed."""
        self.docker("load", "--quiet", f"--input={archive}", timeout=_LOAD_BOUND)

    def pull(self, reference: str) -> None:
        """Let the engine pull an image. Raises NotPulled."""
        with doing(f"pulling image {reference}"):
            try:
                self.docker("pull", "--quiet", reference, timeout=_PULL_BOUND)
            except CommandFailed as error:
                raise not_pulled(f"image {reference}", error) from error

    def nodes(self, cluster: str) -> list[str]:
        """The containers of the kind cluster of that name, running or not, whoever made it."""
        label = f"--filter=label={_CLUSTER_LABEL}={cluster}"
        return self.docker("container", "ls", "--all", "--format={{.Names}}", label).split()

    def runs(self, container: str) -> bool:
        """Whether there is a container of this name that runs."""
        return bool(self.docker("container", "ls", "--quiet", f"--filter=name=^{container}$"))

    def remove_nodes(self, cluster: str) -> None:
        """Remove the containers of a kind cluster, running or not, with their volumes, as `kind delete cluster` does.

        One that is being made, by a command that was killed, is listed seconds before it can be removed; `docker rm
        --force` says until then that there is none, and succeeds (Docker 20.10). Raises EngineFailed if it stays.
        """
        deadline = time.monotonic() + _REMOVAL_BOUND
        while containers := self.nodes(cluster):
            if time.monotonic() > deadline:
                raise EngineFailed(
                    f"Docker did not remove {', '.join(containers)} within {_REMOVAL_BOUND:g} s",
                    where=str(self.socket),
                    remedy="see what its log says, remove it with `docker rm --force --volumes`, and run again",
                )
            self.docker("container", "rm", "--force", "--volumes", *containers)
            time.sleep(_POLL)

    def address(self, container: str) -> str:
        """The container's address in its network, at which this machine reaches every port of it."""
        template = "--format={{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        return self.docker("container", "inspect", template, container).split()[0]

    def docker(self, *arguments: str, timeout: float = _ASK_BOUND) -> str:
        """What a docker command prints. Raises CommandFailed."""
        return run(["docker", *arguments], env=self.environment, timeout=timeout).stdout
