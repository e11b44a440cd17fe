"""Where a run is to be, as options say it: those of `pytest features/` and of `up` are the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.remote import RemoteRegistry

EXISTING = "existing"
CHOICES = ("auto", "node", "kind", EXISTING)


@dataclass(frozen=True)
class Where:
    """What `--cluster` says, and the options that are for a cluster that exists; None is what was not given.

    `meant` is the context that --yes-i-mean-it names, `reused` the cluster that an earlier run kept.
    """

    cluster: str = "auto"
    kubeconfig: str | None = None
    context: str | None = None
    meant: str | None = None
    registry: str | None = None
    registry_login: str | None = None
    reused: str | None = None

    def check(self) -> None:
        """Raise HarnessError where it is said that a cluster exists and not where, or the other way round."""
        if self.cluster == EXISTING:
            if not self.kubeconfig:
                raise HarnessError("--cluster existing needs --kubeconfig FILE", remedy="give it, and --context NAME")
            if self.reused:
                raise HarnessError(
                    f"--reuse-cluster {self.reused} says which cluster to use, and --cluster existing another",
                    remedy="give one",
                )
        else:
            for option, value in self._for_existing:
                if value:
                    raise for_existing(option)
        if self.registry_login and not self.registry:
            raise HarnessError("--registry-login is for --registry", remedy="add --registry URL, or leave it out")

    def provider(self) -> Provider:
        """What provides the cluster. Raises NoProvider and ContextRefused."""
        if self.cluster != EXISTING:
            return Provider.choose(self.cluster)
        assert self.kubeconfig  # noqa: S101 - as checked
        return Provider.existing(Context.read(Path(self.kubeconfig), self.context), self.meant)

    def outside(self) -> RemoteRegistry | None:
        """The registry that nodes have all images from, if one is given. Raises RegistryRefused."""
        logins = Path(self.registry_login).absolute() if self.registry_login else None
        return RemoteRegistry.of(self.registry, logins) if self.registry else None

    @property
    def _for_existing(self) -> list[tuple[str, str | None]]:
        address = [("--kubeconfig", self.kubeconfig), ("--context", self.context), ("--yes-i-mean-it", self.meant)]
        images = [("--registry", self.registry), ("--registry-login", self.registry_login)]
        return address if self.reused else address + images


def for_existing(option: str) -> HarnessError:
    """What is wrong with an option where no cluster exists."""
    return HarnessError(f"{option} is for --cluster existing", remedy="add --cluster existing, or leave it out")
