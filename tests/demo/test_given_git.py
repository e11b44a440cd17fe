"""A Git repository of the user's own: what is refused before anything is installed, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e import deeds
from gitops_e2e.account import Account
from gitops_e2e.cache import Cache
from gitops_e2e.demo.errors import LoginMissing, LoginRefused, NotThere, WrongAddress
from gitops_e2e.demo.given_git import GivenGit
from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.git import Git
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from gitops_e2e.pipeline.node_ports import DEMO_PORTS
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.pipeline.repository import Repository
from gitops_e2e.toolchain import Toolchain
from tests.demo.servers import ACCOUNT, git_server
from tests.pipeline.servers import Folder

_LOGIN = {"GITHUB_USERNAME": "someone", "GITHUB_TOKEN": "t0ken"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "server").mkdir()
    Folder(tmp_path / "server").create("mine")
    return tmp_path / "server"


@pytest.fixture
def given(root: Path) -> Iterator[GivenGit]:
    with git_server(root) as url:
        yield GivenGit(f"{url}/mine.git", ACCOUNT)


def _names(given: GivenGit) -> PipelineNames:
    return PipelineNames(DEMO, git_url=given.url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://git.example/me/demo.git", "is no address of a Git repository over https"),
        ("git@github.com:me/demo.git", "is no address of a Git repository over https"),
        ("https://github.com", "is no address of a Git repository over https"),
        ("https://me:hidden@github.com/me/demo.git", "has a login in it"),
    ],
)
def test_an_address_that_will_not_do_is_refused(url: str, words: str) -> None:
    with pytest.raises(WrongAddress, match=words) as refused:
        GivenGit.of(url, _LOGIN)

    assert "hidden" not in str(refused.value)


def test_a_login_that_is_missing_is_named() -> None:
    with pytest.raises(LoginMissing, match="GITHUB_TOKEN not set"):
        GivenGit.of("https://github.com/me/demo.git", {"GITHUB_USERNAME": "me"})


def test_an_empty_repository_will_do_and_stays_empty(given: GivenGit) -> None:
    with deeds.listening() as heard:
        given.check(_names(given))

    assert Git.list_remote(given.url, given.access) == ""
    assert heard
    assert ACCOUNT.password not in repr(heard)


def test_a_wrong_token_is_told_and_not_shown(given: GivenGit) -> None:
    wrong = GivenGit(given.url, Account(ACCOUNT.username, "wr0ng-t0ken"))

    with pytest.raises(LoginRefused, match="someone may not read the repository") as refused:
        wrong.check(_names(given))

    assert "GITHUB_TOKEN is GITHUB_USERNAME's" in str(refused.value)
    assert "wr0ng-t0ken" not in str(refused.value)


def test_a_token_that_may_only_read_is_told(root: Path) -> None:
    with git_server(root, read_only=True) as url:
        given = GivenGit(f"{url}/mine.git", ACCOUNT)
        with pytest.raises(LoginRefused, match="someone may not push to the repository"):
            given.check(_names(given))


def test_a_repository_that_is_not_there_is_told(given: GivenGit) -> None:
    other = GivenGit(given.url.replace("mine", "other-403"), ACCOUNT)  # what an address has says nothing

    with pytest.raises(NotThere, match="cannot read the repository"):
        other.check(_names(other))


def test_a_server_that_does_not_answer_is_told() -> None:
    given = GivenGit("http://127.0.0.1:9/mine.git", ACCOUNT)

    with pytest.raises(NotThere, match="cannot read the repository"):
        given.check(_names(given))


def test_up_fills_an_empty_repository_and_takes_it_as_it_is_the_next_time(given: GivenGit, tmp_path: Path) -> None:
    names = _names(given)
    first = _repository(given, names, tmp_path / "first")
    commit = first.render("dev", "0.9.0").commit

    given.check(names)
    again = _repository(given, names, tmp_path / "again")

    assert again.main().head() == first.main().head()
    source = again.manifest("applicationset.yaml")["spec"]["template"]["spec"]["source"]
    assert source["repoURL"] == given.url
    assert again.render("dev", "0.9.0").commit == commit
    given.delete(names.repository)
    assert "refs/heads/main" in Git.list_remote(given.url, given.access)


def test_a_main_with_other_addresses_is_refused(given: GivenGit, tmp_path: Path) -> None:
    _repository(given, PipelineNames(DEMO, git_url="https://git.example/other.git"), tmp_path / "clone")

    with pytest.raises(WrongAddress, match=r"applicationset\.yaml has https://git\.example/other\.git instead of"):
        given.check(_names(given))


def test_a_main_of_something_else_is_refused(given: GivenGit, tmp_path: Path) -> None:
    git = Git.clone(given.url, tmp_path / "clone", given.access)
    (tmp_path / "clone/README").write_text("something else\n")
    git.run("add", "README")
    git.run("commit", "--quiet", "--message", "Begin something else")
    git.push("HEAD", "main")

    with pytest.raises(WrongAddress, match=r"it has no applicationset\.yaml; it has no base/rollout\.yaml"):
        given.check(_names(given))


def test_nobody_hooks_into_it(given: GivenGit) -> None:
    with pytest.raises(HarnessError, match="takes no hooks"):
        given.hook("mine", "pre-receive", "exit 1")


def _repository(given: GivenGit, names: PipelineNames, folder: Path) -> Repository:
    adaptation = Adaptation(names, DEMO_PORTS, {})
    kustomize = Toolchain(Cache.of_user()).binary("kustomize")
    return Repository.create(given, adaptation, MANIFESTS, folder, kustomize)
