"""`python -m gitops_e2e.components.charts [--bundle DIR] [--pull]`: checks the pinned charts and their values.

Each chart that the bundle has, or that may be pulled, is held against its pin and rendered with its values. What could
not be checked is told. The exit code is 1 where something is wrong, else 0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gitops_e2e.bundle import Bundle
from gitops_e2e.cache import Cache
from gitops_e2e.components.charts.checking import Checking
from gitops_e2e.components.charts.pins import Pins
from gitops_e2e.components.sources import Sources
from gitops_e2e.errors import HarnessError
from gitops_e2e.toolchain import Toolchain


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), metavar="DIR", help="Folder with charts to check.")
@click.option("--pull", is_flag=True, help="Pull the charts that are not in the bundle.")
def main(*, bundle: Path | None, pull: bool) -> None:
    """Check the versions of charts and their values."""
    try:
        checking = _checking(bundle, pull=pull)
        findings = []
        for finding in checking.findings():
            findings.append(finding)
            click.echo(str(finding))
    except HarnessError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    sys.exit(any(finding.verdict == "wrong" for finding in findings))


def _checking(folder: Path | None, *, pull: bool) -> Checking:
    cache = Cache.of_user()
    bundle = Bundle.open(folder) if folder else Bundle()
    return Checking(Pins.read(), bundle, Sources(cache, Toolchain(cache)), pull)


if __name__ == "__main__":
    main()
