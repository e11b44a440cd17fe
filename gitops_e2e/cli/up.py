"""`up`: from nothing to a demo that stays."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitops_e2e.cli import overview
from gitops_e2e.cli.options import named, quietable
from gitops_e2e.cli.terminal import console, progress_display
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.components.kargo import CHOICES as KARGO_CHOICES
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.given import Given
from gitops_e2e.demo.settings import Settings
from gitops_e2e.progress import doing, say, shown_by
from gitops_e2e.supply import Supply
from gitops_e2e.watching import Budgets

_PROVIDERS = ("auto", "node", "kind")


@click.command(
    epilog="GITHUB_USERNAME and GITHUB_TOKEN are the login for --git-url; AWS credentials are those for --ecr."
)
@named
@click.option(
    "--cluster",
    type=click.Choice(_PROVIDERS),
    default="auto",
    show_default=True,
    help="What provides the cluster: the Docker-free node, or kind; auto takes the node where it can run.",
)
@click.option(
    "--kargo",
    type=click.Choice(KARGO_CHOICES),
    default="auto",
    show_default=True,
    help="Kargo itself, or the promotion engine in its place; auto takes Kargo where it can be had.",
)
@click.option(
    "--bundle",
    metavar="DIR",
    envvar="GITOPS_E2E_BUNDLE",
    help="Folder of image archives and Helm charts, used before anything is built.",
)
@click.option("--pull", is_flag=True, help="Pull what is neither in the bundle nor built here.")
@click.option(
    "--git-url", default="", metavar="URL", help="A Git repository of your own (https), instead of one on the cluster."
)
@click.option(
    "--ecr",
    default="",
    metavar="ACCOUNT/REGION/REPOSITORY",
    help="A repository of your own in Amazon ECR that has the service's images, instead of one on the cluster.",
)
@quietable
def up(
    *, name: str, cluster: str, kargo: str, bundle: str | None, pull: bool, git_url: str, ecr: str, quiet: bool
) -> None:
    """Bring the demo up and leave it running; where it runs already, nothing is changed."""
    given = Given.of(git_url, ecr, os.environ)
    supply = Supply.of(kargo, Path(bundle) if bundle else None, pull=pull)
    with progress_display(quiet=quiet) as display, shown_by(display):
        demo = Demo.find(name, Budgets())
        if demo:
            demo.settings.require(Settings.of(supply, given))
            say(f"  the demo {name} runs already; nothing was changed")
        else:
            demo = _start(name, cluster, supply, given)
    with demo:
        overview.show(demo, console())


def _start(name: str, cluster: str, supply: Supply, given: Given) -> Demo:
    provider = Provider.choose(cluster)
    for line in (f"cluster: {provider.name} ({provider.reason})", *supply.told(provider.name)):
        say(f"  {line}")
    login = None
    if given != Given():
        with doing("trying the logins"):
            login = given.log_in()
    return Demo.start(provider, name, Budgets(), supply, given=given, login=login)
