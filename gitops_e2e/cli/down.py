"""`down`: nothing is left."""

from __future__ import annotations

import click

from gitops_e2e.cli.options import named, quietable
from gitops_e2e.cli.terminal import console, progress_display
from gitops_e2e.demo.demo import Demo
from gitops_e2e.progress import shown_by


@click.command()
@named
@quietable
def down(name: str, quiet: bool) -> None:
    """End the demo, its cluster and everything on it. What is in a Git repository of your own stays."""
    with progress_display(quiet=quiet) as display, shown_by(display):
        ended = Demo.end(name)
    console().print(f"the demo {name} is gone" if ended else f"there is no demo called {name}: nothing to do")
