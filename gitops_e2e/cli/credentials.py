"""`credentials`: logins that do not hold for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from gitops_e2e.cli.options import named, quietable
from gitops_e2e.cli.terminal import console, progress_display
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.ecr import EcrRepository
from gitops_e2e.demo.given import log_in_to
from gitops_e2e.pipeline.warehouse import Warehouse, could_look
from gitops_e2e.progress import doing, shown_by
from gitops_e2e.watching import Budgets, expect


@click.group()
def credentials() -> None:
    """The logins of a demo whose images are in Amazon ECR."""


@credentials.command()
@named
@quietable
def refresh(name: str, quiet: bool) -> None:
    """Get a new login for ECR, put it in the place of the last one, and tell until when it holds (12 hours)."""
    with Demo.get(name, Budgets()) as demo:
        repository = demo.settings.repository
        if repository is None:
            console().print("the demo's images are on its own cluster: there is no login that expires")
            return
        with progress_display(quiet=quiet) as display, shown_by(display):
            until, warehouse = renew(demo, repository)
    console().print(f"the login for {repository.address} holds until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    console().print(f"Warehouse: {warehouse.state}")


def renew(demo: Demo, repository: EcrRepository) -> tuple[datetime, Warehouse]:
    """Until when the new login holds, and what the Warehouse finds with it. Nothing is replaced by one that fails."""
    with doing(f"logging in to {repository.host}"):
        login = log_in_to(repository)
    with doing("replacing the login on the cluster"):
        demo.logins.let_kargo_look(repository, login)
        demo.logins.let_stages_pull(repository, login)
    with doing("letting the Warehouse look"):
        warehouse = expect(demo.project.look(), could_look(), within=demo.budgets.freight_found)
    return login.until, warehouse
