"""Runs the Promotion controller and nothing else, to be killed: lone_controller.py KUBECONFIG EXPR KUSTOMIZE WORK."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions import WorkDirectories, promotion_controller
from gitops_e2e.promoter.runtime import Manager, Stores, StoringKube
from gitops_e2e.promoter.steps import Services


class _NoLogins:
    def find(self, project: str, repo_url: str) -> None:
        """Nobody has any."""


def main(kubeconfig: Path, expr: Path, kustomize: Path, work: Path) -> None:
    """Work until killed."""
    kube = StoringKube(kubeconfig, Stores())
    services = Services(kube, Evaluator(expr), _NoLogins(), kustomize=kustomize, helm=Path("/nowhere/helm"))
    manager = Manager(kube, [promotion_controller(kube, services, WorkDirectories(work))])
    manager.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
