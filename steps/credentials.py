"""Steps about passwords: who asks for one, and the Secrets that a Project has it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_bdd import given, parsers, when

from gitops_e2e.pipeline.kargo import WAREHOUSES
from gitops_e2e.pipeline.kargo_edits import repository
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import is_errored
from gitops_e2e.pipeline.warehouse import could_not_look
from gitops_e2e.watching import Budgets, expect

_BEGINNING = r"(a|the) Secret (of type (?P<kind>\w+)|without a type) has "
_PLACE = r" for (?P<pattern>the pattern )?(?P<address>\S+)"
_RIGHT = parsers.re(f"{_BEGINNING}the login{_PLACE}")
_WRONG = parsers.re(f"{_BEGINNING}a wrong password{_PLACE}")


@given("the Warehouse looks where a password is asked for")
def _(project: Project) -> None:
    private = project.names.private_image_repository
    project.edit(WAREHOUSES, project.names.warehouse, repository(private))


@given(_RIGHT)
@when(_RIGHT)
def _(project: Project, kind: str | None, pattern: str | None, address: str) -> None:
    project.log_in(project.platform.account, address, repository_type=kind or "", is_pattern=bool(pattern))


@given(_WRONG)
def _(project: Project, kind: str | None, pattern: str | None, address: str) -> None:
    wrong = project.platform.account.with_wrong_password()
    project.log_in(wrong, address, repository_type=kind or "", is_pattern=bool(pattern))


@given(parsers.parse("the Warehouse was refused: {message}"))
def _(project: Project, message: str, budgets: Budgets) -> None:
    expect(project.look(), could_not_look(message), within=budgets.freight_found)


@given(parsers.parse("{version} could not be promoted to {stage}: {message}"))
def _(project: Project, version: str, stage: str, message: str, budgets: Budgets) -> None:
    expect(project.promote(stage, version), is_errored(message), within=budgets.promotion_over)


@given("Kargo may send logins over http")
def _(configure_kargo: Callable[[Mapping[str, str]], None]) -> None:
    configure_kargo({"ALLOW_CREDENTIALS_OVER_HTTP": "true"})
