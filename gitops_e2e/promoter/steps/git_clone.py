"""`git-clone`: check out branches, tags or commits of a repository (behaviour file, 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.steps.git import BareClone, CommandRefused, Home, find_login
from gitops_e2e.promoter.steps.model import Author, StepContext, StepError, StepKind, StepResult, TerminalStepError
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import AUTHOR, EMPTY, TEXT, TRUTH, several, some, strict

_REFS = ("branch", "commit", "tag")


def _one_of_refs(chosen: str | None) -> dict[str, Any]:
    properties = {ref: some(TEXT) if ref == chosen else EMPTY for ref in _REFS}
    return {"properties": properties, **({"required": [chosen]} if chosen else {})}


_CHECKOUT = {
    **strict({"as": TEXT, "create": TRUTH, "path": some(TEXT), **dict.fromkeys(_REFS, TEXT)}, "path"),
    "oneOf": [_one_of_refs(ref) for ref in (*_REFS, None)],
}


def _run(context: StepContext) -> StepResult:
    checkouts: Sequence[Mapping[str, Any]] = context.config["checkout"]
    _require_unique_aliases(checkouts)
    url = context.config["repoURL"]
    clone = _clone(context, url)
    commits: dict[str, str] = {}
    paths: set[Path] = set()
    for checkout in checkouts:
        path = secure_join(context.work_dir, checkout["path"])
        ref = _ref(clone, checkout)
        where = f"error adding work tree {checkout['path']} to repo {url}"
        if path in paths:
            raise StepError(f"{where}: working tree already exists at {quote(str(path))}")
        try:
            tree = clone.add_working_tree(path, ref)
        except CommandRefused as error:
            raise StepError(f"{where}: error adding working tree at {quote(str(path))}: {error.what}") from error
        paths.add(path)
        commits[checkout.get("as") or checkout["path"]] = tree.head
    return StepResult(output={"commits": commits})


def _clone(context: StepContext, url: str) -> BareClone:
    author = context.config.get("author")
    if author and author.get("signingKey"):
        raise TerminalStepError("not supported by the embedded engine: git-clone with author.signingKey")
    login = find_login(context, url)
    home = Home.create(
        context.work_dir,
        Author(author["name"], author["email"]) if author else context.services.author,
        login,
        verify_tls=not context.config.get("insecureSkipTLSVerify", False),
    )
    try:
        return BareClone.clone(home, url, login)
    except CommandRefused as error:
        into = f"error cloning repo {quote(url)} into {quote(str(home.path / 'repo'))}"
        raise StepError(f"error cloning {url}: {into}: {error.what}") from error


def _ref(clone: BareClone, checkout: Mapping[str, Any]) -> str:
    branch: str = checkout.get("branch") or ""
    if branch:
        try:
            _ensure_branch(clone, branch, create=checkout.get("create", False))
        except StepError as error:
            raise StepError(f"error ensuring existence of remote branch {branch}: {error.what}") from error
    return branch or checkout.get("commit") or checkout.get("tag") or ""


def _ensure_branch(clone: BareClone, branch: str, *, create: bool) -> None:
    if clone.has_remote_branch(branch):
        return
    if not create:
        raise StepError(
            f"remote branch {quote(branch)} of repo {clone.url} does not exist; "
            "set create=true if you'd like a non-existent remote branch to be automatically created at checkout"
        )
    clone.create_branch(branch)


def _require_unique_aliases(checkouts: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for index, checkout in enumerate(checkouts):
        alias = checkout.get("as")
        if alias and alias in seen:
            raise TerminalStepError(f"duplicate checkout alias {quote(alias)} at checkout[{index}]")
        seen.add(alias or "")


GIT_CLONE = StepKind(
    name="git-clone",
    schema=strict(
        {
            "author": AUTHOR,
            "checkout": several(_CHECKOUT),
            "insecureSkipTLSVerify": TRUTH,
            "repoURL": some(TEXT),
        },
        "checkout",
        "repoURL",
    ),
    run=_run,
)
