"""The engine as a whole: every controller and the admission server over one API server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.admission.registry import all_rules
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.projects import config_controller, namespace_controller, project_controller
from gitops_e2e.promoter.promotions import (
    ApplicationNames,
    WorkDirectories,
    garbage_controllers,
    promotion_controller,
)
from gitops_e2e.promoter.runtime import Manager, Stores, StoringKube, parse_duration
from gitops_e2e.promoter.stages import stage_controller
from gitops_e2e.promoter.steps import Services
from gitops_e2e.promoter.warehouses import MINIMUM_INTERVAL, warehouse_controller

_STOP_SECONDS = 10.0
_TRUE = frozenset({"1", "t", "true"})  # as Go's ParseBool


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """Read `HOST:PORT`. Raises ValueError."""
        host, _, port = text.rpartition(":")
        if not host:
            raise ValueError(f"{text!r} is not HOST:PORT")
        return Address(host, int(port))


@dataclass(frozen=True)
class Settings:
    """What Kargo's chart sets by the environment of its controller, under the same names."""

    argocd_namespace: str = "argocd"
    credentials_over_http: bool = False
    global_credentials_namespaces: tuple[str, ...] = ()
    minimum_warehouse_interval: timedelta = MINIMUM_INTERVAL

    @staticmethod
    def of(environment: Mapping[str, str]) -> Settings:
        """Read the variables that are set. Raises HarnessError for a duration that is none."""
        namespaces = environment.get("GLOBAL_CREDENTIALS_NAMESPACES", "").split(",")
        return Settings(
            argocd_namespace=environment.get("ARGOCD_NAMESPACE") or "argocd",
            credentials_over_http=environment.get("ALLOW_CREDENTIALS_OVER_HTTP", "").lower() in _TRUE,
            global_credentials_namespaces=tuple(name.strip() for name in namespaces if name.strip()),
            minimum_warehouse_interval=_duration(environment, "MIN_WAREHOUSE_RECONCILIATION_INTERVAL"),
        )


class Engine:
    """Used as a context: at work from entering, which returns when all objects are known, to leaving.

    Entering raises HarnessError when the API server cannot be listed from or the address cannot be had.
    """

    def __init__(
        self,
        kubeconfig: Path,
        *,
        webhooks: Address,
        certificates: Path,
        tools: Path,
        work_dir: Path,
        settings: Settings,
    ) -> None:
        kube = StoringKube(kubeconfig, Stores())
        self._evaluator = Evaluator(tools / "expr")
        names = ApplicationNames(kube, self._evaluator, settings.argocd_namespace)
        git_logins, image_logins = (
            Logins(kube, kind, settings.global_credentials_namespaces, settings.credentials_over_http)
            for kind in ("git", "image")
        )
        services = Services(
            kube,
            self._evaluator,
            logins=git_logins,
            kustomize=tools / "kustomize",
            helm=tools / "helm",
            argocd_namespace=settings.argocd_namespace,
        )
        self._admission = AdmissionServer(
            all_rules(kube, Requesters(kube), names),
            lambda: _key_pair(certificates),
            host=webhooks.host,
            port=webhooks.port,
        )
        self._manager = Manager(
            kube,
            [
                project_controller(kube),
                config_controller(kube),
                namespace_controller(kube),
                stage_controller(kube, self._evaluator, names),
                warehouse_controller(
                    kube,
                    self._evaluator,
                    git_logins=git_logins,
                    image_logins=image_logins,
                    work_dir=work_dir / "clones",
                    minimum_interval=settings.minimum_warehouse_interval,
                ),
                promotion_controller(kube, services, WorkDirectories(work_dir / "promotions")),
                *garbage_controllers(kube),
            ],
        )
        self._running = ExitStack()
        self._host = webhooks.host

    @property
    def url(self) -> str:
        """Where the admission server answers."""
        return f"https://{self._host}:{self._admission.port}"

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.callback(self._evaluator.close)
            # The API server asks the webhooks about what the controllers write, so they come first and go last.
            starting.enter_context(self._admission)
            starting.callback(self._manager.stop, within=_STOP_SECONDS)
            self._manager.start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()


def _duration(environment: Mapping[str, str], name: str) -> timedelta:
    text = environment.get(name)
    try:
        return parse_duration(text) if text else MINIMUM_INTERVAL
    except ValueError as error:
        raise HarnessError(f"{name}: {error}", remedy="write it as Go does, such as 5m0s") from error


def _key_pair(folder: Path) -> KeyPair:
    try:
        return KeyPair((folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes())
    except OSError as error:
        raise HarnessError(f"no serving certificate: {error}", where=str(folder)) from error
