"""What a demo was brought up with, kept on its cluster: later commands find it there and need not be told again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gitops_e2e.clusters.where import Where
from gitops_e2e.demo.ecr import EcrRepository
from gitops_e2e.demo.errors import OtherDemo
from gitops_e2e.demo.given import Given, names_of
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.removal import DEMO_RECORD
from gitops_e2e.supply import Supply

_REAL, _ENGINE = "real", "engine"


@dataclass(frozen=True)
class Settings:
    """As options have them: `kargo` is real or engine, `bundle` a folder; "" is what was not given."""

    kargo: str
    bundle: str
    pull: str
    git_url: str
    ecr: str
    registry: str = ""
    registry_login: str = ""

    @staticmethod
    def of(supply: Supply, given: Given) -> Settings:
        """Those of a demo that is asked for."""
        return Settings(
            kargo=_REAL if supply.kargo.real else _ENGINE,
            bundle=str(supply.bundle.folder.absolute()) if supply.bundle.folder else "",
            pull="yes" if supply.pull else "",
            git_url=given.git.url if given.git else "",
            ecr=given.ecr.address if given.ecr else "",
            registry=supply.outside.url if supply.outside else "",
            registry_login=str(supply.outside.logins or "") if supply.outside else "",
        )

    @staticmethod
    def find(kube: Kube) -> Settings | None:
        """Those of the demo on a cluster; None where there is no demo that was completed."""
        found = kube.find(DEMO_RECORD)
        return Settings(**found["data"]) if found else None

    def keep(self, kube: Kube) -> None:
        """Write them down: from now on the cluster's demo is complete."""
        manifest: Manifest = {
            "apiVersion": DEMO_RECORD.api_version,
            "kind": DEMO_RECORD.kind,
            "metadata": {"name": DEMO_RECORD.name, "namespace": DEMO_RECORD.namespace},
            "data": asdict(self),
        }
        kube.apply(manifest)

    def require(self, wanted: Settings) -> None:
        """Raises OtherDemo where others are wanted now."""
        differing = [
            f"{name.replace('_', '-')} {has or 'not given'} instead of {wants or 'not given'}"
            for (name, has), wants in zip(asdict(self).items(), asdict(wanted).values(), strict=True)
            if has != wants
        ]
        if differing:
            raise OtherDemo(
                f"the demo runs already, with {', '.join(differing)}",
                remedy="end it with `down` first, or give the options that it was brought up with",
            )

    @property
    def supply(self) -> Supply:
        """What the stack was made from. Raises BundleError or RegistryRefused where that is not there any more."""
        bundle = Path(self.bundle) if self.bundle else None
        return Supply.of(self.kargo, bundle, pull=bool(self.pull), outside=self._outside)

    @property
    def repository(self) -> EcrRepository | None:
        """The repository in ECR that the service's images come from, if any."""
        return EcrRepository.of_address(self.ecr)

    @property
    def names(self) -> PipelineNames:
        """The pipeline's names."""
        names = names_of(self.git_url, self.repository)
        return replace(names, registry=self._outside.place) if self._outside else names

    @property
    def _outside(self) -> RemoteRegistry | None:
        return Where(registry=self.registry or None, registry_login=self.registry_login or None).outside()
