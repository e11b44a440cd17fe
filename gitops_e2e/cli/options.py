"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from gitops_e2e.demo.naming import DEFAULT_NAME
from gitops_e2e.pipeline.names import STAGES

F = TypeVar("F", bound=Callable[..., object])


def named(command: F) -> F:
    """`--name`: which demo; several can run at a time."""
    option = click.option(
        "--name", default=DEFAULT_NAME, show_default=True, metavar="NAME", help="The demo's name, and its cluster's."
    )
    return option(command)


def quietable(command: F) -> F:
    """`-q`: results and errors alone."""
    return click.option("-q", "--quiet", is_flag=True, help="Show no progress, only results and errors.")(command)


def of_stage(command: F) -> F:
    """The stage that the command is about."""
    return click.argument("stage", type=click.Choice(STAGES))(command)
