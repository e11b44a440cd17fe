"""`promote`: a Promotion, followed to its end."""

from __future__ import annotations

import click

from gitops_e2e.cli.options import named, of_stage, quietable
from gitops_e2e.cli.terminal import console, progress_display
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.naming import command
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import KubeError
from gitops_e2e.pipeline.freight import Freight
from gitops_e2e.pipeline.promotion import Promotion, Step, WatchedPromotion
from gitops_e2e.progress import doing, say, shown_by
from gitops_e2e.watching import Budgets
from gitops_e2e.watching.following import follow

_MARKS = {"Succeeded": "✓", "Skipped": "-", "Running": "…"}


class NoFreight(HarnessError):
    """There is no Freight, or none of that name."""


class Refused(HarnessError):
    """Kargo does not let the Promotion be made."""


class NotPromoted(HarnessError):
    """The Promotion ended otherwise than Succeeded, or not in time."""


@click.command()
@of_stage
@click.option("--freight", "wanted", default="", metavar="ALIAS|NAME", help="Which Freight; the newest by default.")
@named
@quietable
def promote(stage: str, wanted: str, name: str, quiet: bool) -> None:
    """Promote Freight to a stage, and follow the Promotion to its end."""
    with Demo.get(name, Budgets()) as demo, progress_display(quiet=quiet) as display, shown_by(display):
        freight = choose(_freight(demo), wanted)
        promotion = _create(demo, stage, freight)
        end = _follow(demo, promotion)
    if end.phase != "Succeeded":
        raise NotPromoted(f"Promotion {end.name} ended {end.phase}: {end.message}")
    console().print(
        f"{freight.alias} was promoted to {stage}; see how its rollout goes: {command(f'watch {stage}', name)}",
        soft_wrap=True,
    )


def choose(freight: tuple[Freight, ...], wanted: str) -> Freight:
    """The piece of that alias or name, the newest where none is wanted. Raises NoFreight."""
    if not freight:
        raise NoFreight("there is no Freight yet", remedy="see with `status` what the Warehouse says")
    if not wanted:
        return freight[-1]
    for each in freight:
        if wanted in {each.alias, each.name}:
            return each
    known = "\n".join(f"    {each.state}, {each.name}" for each in freight)
    raise NoFreight(f"there is no Freight called {wanted!r}; there is\n{known}", where="--freight")


def _freight(demo: Demo) -> tuple[Freight, ...]:
    return demo.project.all_freight().read(demo.seen())


def _create(demo: Demo, stage: str, freight: Freight) -> WatchedPromotion:
    project = demo.project
    try:
        created = project.create_object(project.promotion_manifest(stage, freight))
    except KubeError as refused:
        raise Refused(
            f"Kargo refuses to promote {freight.alias} to {stage}: {refused.message}", where=freight.state
        ) from refused
    say(f"  Promotion {created['metadata']['name']}: {freight.state}")
    return project.promotion(stage, created["metadata"]["name"])


def _follow(demo: Demo, watched: WatchedPromotion) -> Promotion:
    told: set[Step] = set()
    with doing(f"promoting to {watched.stage}"):
        for reading in follow(watched, within=demo.budgets.promotion_over):
            if not isinstance(reading, Promotion):
                continue
            for step in reading.steps:
                if step not in told and step.status != "Running":
                    say(f"    {_MARKS.get(step.status, '✗')} {step}")
                told.add(step)
            if reading.is_over:
                return reading
    raise NotPromoted(
        f"Promotion {watched.name} was not over within {demo.budgets.promotion_over:g} s; it goes on",
        remedy=f"see `kubectl -n {watched.names.project} get promotion {watched.name} -o yaml`",
    )
