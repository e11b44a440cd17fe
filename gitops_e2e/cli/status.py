"""`status`: what is healthy, and what is not."""

from __future__ import annotations

import click
from rich.table import Table

from gitops_e2e.cli.options import named
from gitops_e2e.cli.terminal import console, table
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.health import Health
from gitops_e2e.errors import HarnessError
from gitops_e2e.watching import Budgets


class Unhealthy(HarnessError):
    """Something of the demo is not as it should be."""


@click.command()
@named
def status(name: str) -> None:
    """Show components and stages; the exit code is 1 when something is unhealthy, which is named."""
    with Demo.get(name, Budgets()) as demo:
        health = Health.of(demo)
    show(health)
    if health.troubles:
        raise Unhealthy("\n".join(["unhealthy:", *(f"  {each}" for each in health.troubles)]))


def show(health: Health) -> None:
    """Print both tables, and what the Warehouse has found."""
    screen = console()
    screen.print(_components(health), "", _stages(health), "")
    screen.print(f"Warehouse: {health.warehouse}")


def _components(health: Health) -> Table:
    rows = table("COMPONENT", "VERSION", "NAMESPACE", "STATE")
    for each in health.components:
        rows.add_row(each.name, each.version, each.namespace, "unhealthy" if each.trouble else "healthy")
    return rows


def _stages(health: Health) -> Table:
    rows = table("STAGE", "RELEASE", "ROLLOUT", "ARGO CD", "KARGO", "ENDPOINT", "STATE")
    for each in health.stages:
        state = "unhealthy" if each.troubles else "healthy"
        rows.add_row(each.name, each.release, each.rollout, each.application, each.kargo, each.endpoint, state)
    return rows
