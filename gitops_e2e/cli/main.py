"""The commands together: what all of them do alike with options, errors and interrupts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from gitops_e2e.cli.credentials import credentials
from gitops_e2e.cli.down import down
from gitops_e2e.cli.promote import promote
from gitops_e2e.cli.status import status
from gitops_e2e.cli.up import up
from gitops_e2e.cli.watch import watch
from gitops_e2e.environment import refuse_unknown
from gitops_e2e.errors import HarnessError
from gitops_e2e.evidence.redaction import Redactor

FAILED, INTERRUPTED = 1, 130
"""Exit codes beside 0, and 2, which is click's for wrong usage."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def commands() -> None:
    """The demo pipeline dev → staging → prod, on a cluster that stays: to look at, to promote, to break."""


for _each in (up, status, promote, watch, credentials, down):
    commands.add_command(_each)


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code. Whatever is wrong is one message on standard error, without secrets."""
    try:
        refuse_unknown(os.environ)
        code = commands.main(list(arguments), prog_name="python -m gitops_e2e", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HarnessError as error:
        click.echo(Redactor.of_environment()(str(error)), err=True)
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run from the command line."""
    sys.exit(run(sys.argv[1:]))
