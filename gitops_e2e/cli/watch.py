"""`watch`: a rollout's progress, live."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
from rich.console import Console
from rich.live import Live

from gitops_e2e.cli.options import named, of_stage
from gitops_e2e.cli.rollout_view import view
from gitops_e2e.cli.terminal import console
from gitops_e2e.demo.demo import Demo
from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline.update import Update, WatchedUpdate
from gitops_e2e.watching import Budgets, Entry
from gitops_e2e.watching.following import follow

_REFRESHED = 4  # times a second
_TOLD = ("Rollout", "ReplicaSet", "AnalysisRun", "Pod")


class NotRolledOut(HarnessError):
    """The update was given up, or was not over in time."""


@click.command()
@of_stage
@named
def watch(stage: str, name: str) -> None:
    """Show how a stage's rollout goes until it is over; the exit code is 1 when it does not go through.

    In a terminal the picture changes as the rollout does; elsewhere each change is a line.
    """
    screen = console()
    with Demo.get(name, Budgets()) as demo:
        demo.seen()
        watched = WatchedUpdate(demo.rollout(stage))
        bound = demo.budgets.rollout_settled
        last = _live(watched, screen, bound) if screen.is_terminal else _lines(watched, screen, bound)
    if not last.is_over:
        raise NotRolledOut(f"{watched.title} was not over within {bound:g} s: {last.rollout.state}")
    if not last.rollout.is_complete:
        raise NotRolledOut(f"{watched.title} did not go through: {last.rollout.state}")


def _live(watched: WatchedUpdate, screen: Console, bound: float) -> Update:
    began = time.monotonic()
    with Live(console=screen, refresh_per_second=_REFRESHED, auto_refresh=False) as live:
        for last in _updates(watched, bound):
            live.update(view(last, time.monotonic() - began), refresh=True)
    return last


def _lines(watched: WatchedUpdate, screen: Console, bound: float) -> Update:
    told = len(_entries(watched))
    began = False
    for last in _updates(watched, bound):
        if not began:
            screen.print(f"{watched.rollout.title}: {last.rollout.state}")
            began = True
        entries = _entries(watched)
        for entry in entries[told:]:
            screen.print(str(entry), soft_wrap=True)
        told = len(entries)
    screen.print(f"{watched.rollout.title}: {last.rollout.state}")
    return last


def _updates(watched: WatchedUpdate, bound: float) -> Iterator[Update]:
    """The update as it goes, up to its end. Raises NotRolledOut where there is none."""
    reading = None
    for reading in follow(watched, within=bound):
        if isinstance(reading, Update):
            yield reading
            if reading.is_over:
                return
    if not isinstance(reading, Update):
        raise NotRolledOut(f"{watched.title}: {reading.observed if reading else 'nothing was seen'}")


def _entries(watched: WatchedUpdate) -> list[Entry]:
    entries = watched.cache.timeline.entries(*watched.namespaces)
    return [each for each in entries if each.kind in _TOLD]
