"""`up`: from nothing to a demo that stays."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitops_e2e.cli import overview
from gitops_e2e.cli.options import named, quietable
from gitops_e2e.cli.terminal import console, progress_display
from gitops_e2e.clusters.where import CHOICES, Where
from gitops_e2e.components.kargo import CHOICES as KARGO_CHOICES
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.given import Given
from gitops_e2e.demo.settings import Settings
from gitops_e2e.progress import doing, say, shown_by
from gitops_e2e.supply import Supply
from gitops_e2e.watching import Budgets


@click.command(
    epilog="GITHUB_USERNAME and GITHUB_TOKEN are the login for --git-url; AWS credentials are those for --ecr."
)
@named
@click.option(
    "--cluster",
    type=click.Choice(CHOICES),
    default="auto",
    show_default=True,
    help="What provides the cluster: the Docker-free node, kind, or one that exists; auto: the node where it can run.",
)
@click.option("--kubeconfig", metavar="FILE", help="Where the cluster is, for --cluster existing.")
@click.option("--context", metavar="NAME", help="Which context of --kubeconfig (default: its current one).")
@click.option("--yes-i-mean-it", "meant", metavar="CONTEXT", help="Use a cluster that neither kind nor this has made.")
@click.option("--registry", metavar="URL", help="A registry that the nodes of --cluster existing can pull from.")
@click.option("--registry-login", metavar="FILE", help="Its login, in a file as `docker login` writes it.")
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
    *,
    name: str,
    kargo: str,
    bundle: str | None,
    pull: bool,
    git_url: str,
    ecr: str,
    quiet: bool,
    cluster: str,
    kubeconfig: str | None,
    context: str | None,
    meant: str | None,
    registry: str | None,
    registry_login: str | None,
) -> None:
    """Bring the demo up and leave it running; where it runs already, nothing is changed."""
    where = Where(cluster, kubeconfig, context, meant, registry, registry_login)
    where.check()
    given = Given.of(git_url, ecr, os.environ)
    supply = Supply.of(kargo, Path(bundle) if bundle else None, pull=pull, outside=where.outside())
    with progress_display(quiet=quiet) as display, shown_by(display):
        demo = Demo.find(name, Budgets())
        if demo:
            demo.settings.require(Settings.of(supply, given))
            say(f"  the demo {name} runs already; nothing was changed")
        else:
            demo = _start(name, where, supply, given)
    with demo:
        overview.show(demo, console())


def _start(name: str, where: Where, supply: Supply, given: Given) -> Demo:
    provider = where.provider()
    for line in (f"cluster: {provider.name} ({provider.reason})", *supply.told(provider.name)):
        say(f"  {line}")
    login = None
    if given != Given():
        with doing("trying the logins"):
            login = given.log_in()
    return Demo.start(provider, name, Budgets(), supply, given=given, login=login)
