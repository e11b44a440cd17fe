"""Hooks of a real repository: what becomes of a push."""

from __future__ import annotations

import pytest

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.pipeline.pushes import OVERTAKEN, Hook, declined, overtaken
from gitops_e2e.pipeline.repository import Repository
from tests.pipeline.servers import Folder


@pytest.fixture(autouse=True)
def _served(repository: Repository) -> None:
    repository.render("dev", "0.9.0")
    repository.render("staging", "0.9.0")


def test_a_push_is_declined_until_pushes_are_taken_again(repository: Repository, host: Folder) -> None:
    before = repository.branch("dev").head()
    hook = declined("stage/dev")
    host.hook("shop", hook.event, hook.script)
    with pytest.raises(CommandFailed, match=r"\[remote rejected\].*\(pre-receive hook declined\)"):
        repository.render("dev", "1.0.0")
    assert repository.branch("dev").head() == before
    repository.render("staging", "1.0.0")
    host.unhook("shop")
    assert repository.render("dev", "1.0.0").commit == repository.branch("dev").head()


def test_somebody_elses_commit_comes_to_the_branch_each_time(repository: Repository, host: Folder) -> None:
    before, beside = repository.branch("dev").head(), repository.branch("staging").head()
    for _ in range(2):
        _run(overtaken("stage/dev"), host)
    first, second, third = repository.branch("dev").log(3)
    assert [first.subject, second.subject, third.id] == [OVERTAKEN, OVERTAKEN, before]
    assert repository.branch("dev").image_tag() == "0.9.0"
    assert repository.branch("staging").head() == beside


def _run(hook: Hook, host: Folder) -> None:
    """Do what the Git server does before a push; a folder has nobody who does."""
    host.hook("shop", hook.event, hook.script)
    run([host.root / f"shop.git/hooks/{hook.event}"], cwd=host.root / "shop.git", timeout=10)
