"""Git subscriptions over real repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.warehouses.clones import Clones
from gitops_e2e.promoter.warehouses.commits import CommitSearch, CommitsNotFound
from tests.promoter.warehouses.git_repository import GitRepository

pytestmark = pytest.mark.node

DEFAULTS = {"commitSelectionStrategy": "NewestFromBranch", "strictSemvers": True, "discoveryLimit": 20}
NewRepository = Callable[[], tuple[GitRepository, str]]


@pytest.fixture
def search(kube: Kube, evaluator: Evaluator, tmp_path: Path) -> Iterator[CommitSearch]:
    left = tmp_path / "clones/repo-left"
    left.mkdir(parents=True)
    search = CommitSearch(Logins(kube, "git", over_http=True), Clones(tmp_path / "clones"), evaluator)
    assert not left.exists(), "what a killed process left is still there"
    yield search
    assert list((tmp_path / "clones").iterdir()) == []


def find(search: CommitSearch, url: str, *, project: str = "none", **fields: Any) -> Manifest:
    return search.find(project, {**DEFAULTS, "repoURL": url, **fields})


def ids(found: Manifest) -> list[str]:
    return [commit["id"] for commit in found.get("commits", [])]


def tags(found: Manifest) -> list[str]:
    return [commit["tag"] for commit in found.get("commits", [])]


# --- branches


@pytest.fixture(scope="module")
def changed(git_server: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, int]]:
    """The URL of a repository whose commits change different files, and the day of each commit."""
    repository = GitRepository(git_server.root, "changed", tmp_path_factory.mktemp("changed") / "tree")
    paths = ["app/main.py", "docs/a.md", "app/README.md", "docs/b.md", "Größe.txt"]
    day_of = {}
    for day, path in enumerate(paths, start=1):
        subject = f"change {path.partition('/')[0]}"
        author = "a bot <bot@example.test>" if day == 4 else "a <a@b>"
        commit = repository.commit(subject, at=f"2026-01-0{day}T00:00:00Z", files={path: "1"}, author=author)
        day_of[commit] = day
    return f"{git_server.url}/changed.git", day_of


def test_what_is_told_of_a_commit(search: CommitSearch, new_repository: NewRepository) -> None:
    repository, url = new_repository()
    subject = "Größe " + "x" * 100
    commit = repository.commit(
        f"{subject}\n\nAnd more.", at="2026-11-23T11:55:14+02:00", author="Ann Author <ann@example.test>"
    )
    told = {
        "id": commit,
        "subject": subject[:80],
        "author": "Ann Author <ann@example.test>",
        "committer": "a <a@b>",
        "creatorDate": "2026-11-23T09:55:14Z",
    }
    assert find(search, url) == {"repoURL": url, "commits": [told]}
    assert find(search, url, branch="main") == {"repoURL": url, "commits": [told | {"branch": "main"}]}


def test_the_newest_commits_of_the_branch(search: CommitSearch, new_repository: NewRepository) -> None:
    repository, url = new_repository()
    main = [repository.commit(f"m{day}", at=f"2026-01-0{day}T00:00:00Z") for day in range(1, 6)]
    repository.commit("side", at="2026-02-01T00:00:00Z", branch="side/one")
    assert ids(find(search, url)) == main[::-1]
    assert ids(find(search, url, discoveryLimit=2)) == main[:2:-1]
    assert len(ids(find(search, url, branch="side/one"))) == 6


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"includePaths": ["app"]}, [3, 1]),
        ({"includePaths": ["app", "docs"]}, [4, 3, 2, 1]),
        ({"excludePaths": ["docs"]}, [5, 3, 1]),
        ({"includePaths": ["app"], "excludePaths": ["app/README.md"]}, [1]),
        ({"includePaths": ["glob:**/*.md"]}, [4, 3, 2]),
        ({"includePaths": ["regex:^(app|docs)/.*\\.md$"], "discoveryLimit": 1}, [4]),
        ({"includePaths": ["Größe.txt"]}, [5]),
        ({"includePaths": ["nowhere"]}, []),
        ({"expressionFilter": "subject contains 'docs'"}, [4, 2]),
        ({"expressionFilter": "!(author contains 'bot')"}, [5, 3, 2, 1]),
        ({"expressionFilter": "author == 'a bot <bot@example.test>' && committer == 'a <a@b>'"}, [4]),
        ({"expressionFilter": "commitDate.After(date('2026-01-03T00:00:00Z'))"}, [5, 4]),
        ({"expressionFilter": "len(id) == 40 ? 1 : 0"}, [5, 4, 3, 2, 1]),
        ({"expressionFilter": "'false'"}, []),
        ({"expressionFilter": "subject contains 'docs'", "excludePaths": ["docs/a.md"]}, [4]),
    ],
)
def test_commits_are_filtered(
    search: CommitSearch, changed: tuple[str, dict[str, int]], fields: Manifest, days: list[int]
) -> None:
    url, day_of = changed
    assert [day_of[commit] for commit in ids(find(search, url, **fields))] == days


def test_a_merge_without_changes_of_its_own_changes_nothing(
    search: CommitSearch, new_repository: NewRepository
) -> None:
    repository, url = new_repository()
    repository.commit("one", at="2026-01-01T00:00:00Z")
    repository.commit("two", at="2026-01-02T00:00:00Z")
    side, merge = repository.merge(at="2026-01-03T00:00:00Z", files={"app/a": "1"})
    assert ids(find(search, url))[0] == merge
    assert ids(find(search, url, includePaths=["app"])) == [side]


# --- tags


@pytest.fixture(scope="module")
def tagged(git_server: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """The URL of a repository in which tags are sorted differently by version, text and age; commits by tag."""
    repository = GitRepository(git_server.root, "tagged", tmp_path_factory.mktemp("tagged") / "tree")
    of: dict[str, str] = {}
    for day, name in enumerate(["v1.10.0", "1.9.0", "nightly-2", "1", "2.0.0-rc.1"], start=1):
        of[name] = repository.commit(f"c{day}", at=f"2026-01-0{day}T00:00:00Z")
        repository.tag(name)
    repository.tag("v1.9.5", at="2026-02-01T00:00:00Z", annotation="The fifth\n\nmore", of=of["1.9.0"])
    of["v1.9.5"] = of["1.9.0"]
    repository.tag("tree", of="HEAD^{tree}")
    repository.tag("annotated-tree", at="2026-03-01T00:00:00Z", annotation="no commit", of="HEAD^{tree}")
    return f"{git_server.url}/tagged.git", of


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (
            {"commitSelectionStrategy": "NewestTag"},
            ["v1.9.5", "2.0.0-rc.1", "1", "nightly-2", "1.9.0", "v1.10.0"],
        ),
        ({"commitSelectionStrategy": "NewestTag", "allowTags": "^v", "ignoreTags": ["v1.10.0"]}, ["v1.9.5"]),
        (
            {"commitSelectionStrategy": "Lexical"},
            ["v1.9.5", "v1.10.0", "nightly-2", "2.0.0-rc.1", "1.9.0", "1"],
        ),
        ({"commitSelectionStrategy": "SemVer"}, ["2.0.0-rc.1", "v1.10.0", "v1.9.5", "1.9.0"]),
        ({"commitSelectionStrategy": "SemVer", "semverConstraint": "~1.9"}, ["v1.9.5", "1.9.0"]),
        (
            {"commitSelectionStrategy": "SemVer", "strictSemvers": False, "semverConstraint": "1.x"},
            ["v1.10.0", "v1.9.5", "1.9.0", "1"],
        ),
        ({"commitSelectionStrategy": "SemVer", "semverConstraint": "1.x", "discoveryLimit": 1}, ["v1.10.0"]),
        ({"commitSelectionStrategy": "Lexical", "allowTags": "^x"}, []),
        ({"commitSelectionStrategy": "Lexical", "includePaths": ["c2"]}, ["v1.9.5", "1.9.0"]),
        ({"commitSelectionStrategy": "NewestTag", "expressionFilter": "tag startsWith 'v'"}, ["v1.9.5", "v1.10.0"]),
        ({"commitSelectionStrategy": "NewestTag", "expressionFilter": "annotation == 'The fifth'"}, ["v1.9.5"]),
        ({"commitSelectionStrategy": "NewestTag", "expressionFilter": "tagger == 't <t@b>'"}, ["v1.9.5"]),
        (
            {"commitSelectionStrategy": "NewestTag", "expressionFilter": "creatorDate.After(date('2026-01-20'))"},
            ["v1.9.5"],
        ),
        ({"commitSelectionStrategy": "NewestTag", "expressionFilter": "subject == 'c2'"}, ["v1.9.5", "1.9.0"]),
    ],
)
def test_a_strategy_says_which_tag_is_new(
    search: CommitSearch, tagged: tuple[str, dict[str, str]], fields: Manifest, names: list[str]
) -> None:
    url, of = tagged
    found = find(search, url, **fields)
    assert tags(found) == names
    assert ids(found) == [of[name] for name in names]


def test_what_is_told_of_a_tag(search: CommitSearch, tagged: tuple[str, dict[str, str]]) -> None:
    url, of = tagged
    found = find(search, url, commitSelectionStrategy="NewestTag", branch="main", discoveryLimit=1)
    assert found["commits"] == [
        {
            "id": of["1.9.0"],
            "tag": "v1.9.5",
            "subject": "c2",
            "author": "a <a@b>",
            "committer": "a <a@b>",
            "creatorDate": "2026-02-01T00:00:00Z",
        }
    ]


# --- failures


def test_a_branch_that_is_not_there(search: CommitSearch, new_repository: NewRepository) -> None:
    repository, url = new_repository()
    repository.commit("init", at="2026-01-01T00:00:00Z")
    with pytest.raises(CommitsNotFound) as error:
        find(search, url, branch="nope")
    assert error.value.what.startswith(
        f'error discovering commits from git repo "{url}": error cloning git repo "{url}"'
    )
    assert "Remote branch nope not found" in error.value.what


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"expressionFilter": "1 +"}, 'error evaluating expression filter "1 +": unexpected token EOF'),
        ({"expressionFilter": "subject"}, "gives 'init', which is neither true nor false"),
        ({"includePaths": ["regex:("]}, "error compiling regular expression '('"),
        ({"commitSelectionStrategy": "Lexical", "allowTags": "("}, "error compiling regular expression '('"),
    ],
)
def test_what_cannot_be_read_is_told(
    search: CommitSearch, new_repository: NewRepository, fields: Manifest, text: str
) -> None:
    repository, url = new_repository()
    repository.commit("init", at="2026-01-01T00:00:00Z")
    with pytest.raises(CommitsNotFound) as error:
        find(search, url, **fields)
    assert text in error.value.what
    assert error.value.what.startswith(f'error discovering commits from git repo "{url}": ')


def test_a_private_repository_is_entered_by_the_project_only(
    kube: Kube, namespace: str, search: CommitSearch, git_server: Any, new_repository: NewRepository
) -> None:
    repository, url = new_repository()
    commit = repository.commit("init", at="2026-01-01T00:00:00Z")
    metadata = {"name": "git", "namespace": namespace, "labels": {"kargo.akuity.io/cred-type": "git"}}
    data = {"repoURL": url, "username": "robot", "password": "pass word"}
    kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})
    git_server.users["robot"] = "pass word"
    try:
        assert ids(find(search, url, project=namespace)) == [commit]
        with pytest.raises(CommitsNotFound) as error:
            find(search, url)
        assert "fatal: could not read Username for 'http://" in error.value.what
        assert "No such device or address" in error.value.what
    finally:
        git_server.users.clear()
