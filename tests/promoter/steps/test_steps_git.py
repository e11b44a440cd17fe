"""The git steps over HTTP against real repositories: what is cloned, committed and pushed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.commands import run
from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.steps import StepError, TerminalStepError

pytestmark = pytest.mark.node


@pytest.fixture
def repository(git_server: Any, tmp_path: Path) -> Path:
    """A repository of its own, with two files on main."""
    files = tmp_path / "files"
    (files / "base").mkdir(parents=True)
    (files / "base/a.txt").write_text("one\n")
    (files / ".gitignore").write_text("ignored\n")
    return Path(git_server.create(uuid.uuid4().hex, files))


@pytest.fixture
def url(git_server: Any, repository: Path) -> str:
    return f"{git_server.url}/{repository.name}"


def _git(repository: Path, *arguments: str) -> str:
    return run(["git", *arguments], cwd=repository, timeout=30).stdout.strip()


def _commit_elsewhere(repository: Path, tmp_path: Path, file: str, text: str, branch: str = "main") -> str:
    """Somebody else's commit; its id."""
    other = tmp_path / "other"
    run(["git", "clone", "-q", "-b", branch, repository, other], timeout=30)
    (other / file).write_text(text)
    _git(other, "add", ".")
    _git(other, "-c", "user.name=Other", "-c", "user.email=o@example.test", "commit", "-qm", "Other")
    _git(other, "push", "-q")
    return _git(other, "rev-parse", "HEAD")


def _clone(steps: Any, url: str, **checkout: Any) -> Any:
    return steps.run("git-clone", {"repoURL": url, "checkout": [{"branch": "main", "path": "src", **checkout}]})


class TestClone:
    def test_checkouts_are_told_by_alias_or_path(self, steps: Any, url: str, repository: Path) -> None:
        _git(repository, "tag", "v1", "main")
        main = _git(repository, "rev-parse", "main")
        checkouts = [
            {"branch": "main", "path": "./a", "as": "first"},
            {"tag": "v1", "path": "deep/b"},
            {"commit": main, "path": "c", "branch": ""},
        ]
        result = steps.run("git-clone", {"repoURL": url, "checkout": checkouts})
        assert result.output == {"commits": {"first": main, "deep/b": main, "c": main}}
        assert (steps.work_dir / "deep/b/base/a.txt").read_text() == "one\n"

    def test_missing_branch_is_created_empty_and_pushed_at_once(self, steps: Any, url: str, repository: Path) -> None:
        result = _clone(steps, url, branch="stage/dev", create=True)
        assert _git(repository, "log", "--format=%H %an <%ae> %s", "stage/dev") == (
            f"{result.output['commits']['src']} Kargo <no-reply@kargo.io> Initial commit"
        )
        assert _git(repository, "ls-tree", "stage/dev") == ""
        assert [entry.name for entry in (steps.work_dir / "src").iterdir()] == [".git"]

    def test_two_aliases_that_are_the_same_are_refused(self, steps: Any, url: str) -> None:
        checkout = {"branch": "main", "path": "x", "as": "a"}
        with pytest.raises(TerminalStepError, match=r'^duplicate checkout alias "a" at checkout\[1\]$'):
            steps.run("git-clone", {"repoURL": url, "checkout": [checkout, {**checkout, "path": "y"}]})

    def test_the_same_branch_twice_is_gits_error(self, steps: Any, url: str) -> None:
        checkouts = [{"branch": "main", "path": "x"}, {"branch": "main", "path": "y"}]
        with pytest.raises(StepError, match="'main' is already checked out at"):
            steps.run("git-clone", {"repoURL": url, "checkout": checkouts})

    def test_repository_that_is_not_there(self, steps: Any, url: str) -> None:
        with pytest.raises(StepError) as failure:
            _clone(steps, f"{url}x")
        into = rf"{steps.work_dir}/repo-[^/]+/repo"
        assert failure.match(
            rf'^error cloning {url}x: error cloning repo "{url}x" into "{into}": '
            rf"error executing cmd \[/usr/bin/git clone --bare {url}x {into}\]: "
            rf"Cloning into bare repository '{into}'...\n"
            rf"fatal: repository '{url}x/' not found\n$"
        )

    def test_a_second_clone_to_the_same_place_fails(self, steps: Any, url: str) -> None:
        _clone(steps, url)
        with pytest.raises(StepError, match="already exists"):
            _clone(steps, url)

    def test_signing_is_not_supported(self, steps: Any, url: str) -> None:
        author = {"name": "A", "email": "a@example.test", "signingKey": "K"}
        config = {"repoURL": url, "author": author, "checkout": [{"branch": "main", "path": "x"}]}
        with pytest.raises(TerminalStepError, match=r"^not supported by the embedded engine"):
            steps.run("git-clone", config)


class TestLogin:
    @pytest.fixture(autouse=True)
    def _closed(self, git_server: Any, repository: Path) -> Any:  # noqa: ARG002 - made before the server asks
        git_server.users["robot"] = "pass word"
        yield
        git_server.users.clear()

    def test_password_is_used_for_clone_and_push_and_kept_nowhere(self, steps: Any, url: str, repository: Path) -> None:
        steps.logins[url] = Login("robot", "pass word")
        _clone(steps, url)
        (steps.work_dir / "src/new").write_text("x")
        steps.run("git-commit", {"path": "src", "message": "m"})
        steps.run("git-push", {"path": "src"})
        assert _git(repository, "log", "-1", "--format=%s", "main") == "m"
        kept = [file for file in steps.work_dir.rglob("*") if file.is_file() and b"pass word" in file.read_bytes()]
        assert kept == []

    def test_with_the_wrong_password_there_is_no_way_in(self, steps: Any, url: str) -> None:
        steps.logins[url] = Login("robot", "wrong")
        with pytest.raises(StepError, match="fatal: Authentication failed for"):
            _clone(steps, url)

    def test_without_a_login_git_says_that_it_cannot_ask(
        self, steps: Any, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
            monkeypatch.setenv(name, "/bin/true")
        with pytest.raises(
            StepError, match=r"fatal: could not read Username for 'http://.*': No such device or address"
        ):
            _clone(steps, url)


class TestEncryption:
    @pytest.fixture
    def url(self, secure_git_server: Any, tmp_path: Path) -> str:
        (tmp_path / "files").mkdir()
        (tmp_path / "files/a").write_text("a")
        return f"{secure_git_server.url}/{secure_git_server.create(uuid.uuid4().hex, tmp_path / 'files').name}"

    def test_unknown_authority_is_refused(self, steps: Any, url: str) -> None:
        with pytest.raises(StepError, match="certificate"):
            _clone(steps, url)

    def test_authority_is_taken_from_gits_own_variable(
        self, steps: Any, url: str, secure_git_server: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_SSL_CAINFO", str(secure_git_server.root / "ca.crt"))
        _clone(steps, url)
        (steps.work_dir / "src/b").write_text("b")
        steps.run("git-commit", {"path": "src", "message": "m"})
        assert steps.run("git-push", {"path": "src"}).output["branch"] == "main"

    def test_no_authority_is_asked_for_where_none_is_wanted(self, steps: Any, url: str) -> None:
        """What the clone says of this holds for the push, too."""
        checkouts = [{"branch": "main", "path": "src"}]
        steps.run("git-clone", {"repoURL": url, "insecureSkipTLSVerify": True, "checkout": checkouts})
        (steps.work_dir / "src/b").write_text("b")
        steps.run("git-commit", {"path": "src", "message": "m"})
        assert steps.run("git-push", {"path": "src"}).status == "Succeeded"


class TestClear:
    def test_all_but_ignored_files_go(self, steps: Any, url: str) -> None:
        _clone(steps, url)
        src = steps.work_dir / "src"
        (src / "ignored").write_text("x")
        (src / "untracked").write_text("x")
        steps.run("git-clear", {"path": "src"})
        assert sorted(entry.name for entry in src.iterdir()) == [".git", "ignored"]

    def test_an_empty_tree_stays_one(self, steps: Any, url: str) -> None:
        _clone(steps, url, branch="empty", create=True)
        assert steps.run("git-clear", {"path": "src"}).status == "Succeeded"
        assert (steps.work_dir / "src/.git").exists()

    def test_directory_that_is_no_checkout(self, steps: Any) -> None:
        (steps.work_dir / "plain").mkdir()
        with pytest.raises(StepError) as failure:
            steps.run("git-clear", {"path": "plain"})
        assert failure.value.what == (
            "error loading working tree from plain: error reading repo dir from config: "
            "error executing cmd [/usr/bin/git config kargo.repoDir]: "
        )


class TestCommit:
    def test_identity_is_the_clones_unless_the_commit_has_one(self, steps: Any, url: str) -> None:
        author = {"name": "Ann", "email": "ann@example.test"}
        steps.run("git-clone", {"repoURL": url, "author": author, "checkout": [{"branch": "main", "path": "src"}]})
        src = steps.work_dir / "src"
        for own in ({}, {"author": {"name": "Bob", "email": "bob@example.test"}}):
            (src / "new").write_text(str(own))
            result = steps.run("git-commit", {"path": "src", "message": "two\n\nlines", **own})
            assert (result.status, result.output) == ("Succeeded", {"commit": _git(src, "rev-parse", "HEAD")})
        assert _git(src, "log", "-2", "--format=%an <%ae> %B").split("\n\n") == [
            "Bob <bob@example.test> two",
            "lines",
            "Ann <ann@example.test> two",
            "lines",
        ]

    def test_nothing_to_commit_is_skipped(self, steps: Any, url: str, repository: Path) -> None:
        _clone(steps, url)
        result = steps.run("git-commit", {"path": "src", "message": "m"})
        assert (result.status, result.output) == ("Skipped", {"commit": _git(repository, "rev-parse", "main")})


class TestPush:
    @pytest.fixture
    def changed(self, steps: Any, url: str) -> Path:
        """A checkout of main with a commit of its own."""
        _clone(steps, url)
        src: Path = steps.work_dir / "src"
        (src / "mine").write_text("x\n")
        steps.run("git-commit", {"path": "src", "message": "mine"})
        return src

    def test_others_commit_is_put_underneath(self, steps: Any, changed: Path, repository: Path, tmp_path: Path) -> None:
        before = _git(changed, "rev-parse", "HEAD")
        other = _commit_elsewhere(repository, tmp_path, "theirs", "y\n")
        output = steps.run("git-push", {"path": "src"}).output
        assert output == {"branch": "main", "commit": _git(repository, "rev-parse", "main"), "commitURL": ""}
        assert output["commit"] != before
        assert _git(repository, "rev-parse", "main^") == other

    @pytest.mark.usefixtures("changed")
    def test_commit_that_comes_between_pull_and_push_costs_another_attempt(
        self, steps: Any, repository: Path, tmp_path: Path
    ) -> None:
        _race(repository, tmp_path, times=2)
        steps.run("git-push", {"path": "src"})
        assert _git(repository, "log", "--format=%s", "main").splitlines() == ["mine", "Race", "Race", "Seed"]

    @pytest.mark.usefixtures("changed")
    def test_attempts_are_limited(self, steps: Any, repository: Path, tmp_path: Path) -> None:
        _race(repository, tmp_path, times=9)
        with pytest.raises(StepError) as failure:
            steps.run("git-push", {"path": "src", "maxAttempts": 2})
        assert failure.value.what == "error pushing commits to remote: error pushing branch: non-fast-forward"
        assert _git(repository, "log", "--format=%s", "main").splitlines() == ["Race", "Race", "Seed"]

    @pytest.mark.usefixtures("changed")
    def test_push_that_the_server_declines_is_not_tried_again(
        self, steps: Any, repository: Path, tmp_path: Path
    ) -> None:
        hook = repository / "hooks/pre-receive"
        hook.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\necho 'non-fast-forward (fetch first)'\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(StepError) as failure:
            steps.run("git-push", {"path": "src"})
        assert failure.value.what.startswith(
            "error pushing commits to remote: error pushing branch: error executing cmd [/usr/bin/git push origin HEAD:"
        )
        assert "! [remote rejected] HEAD -> main (pre-receive hook declined)" in failure.value.what
        assert (tmp_path / "asked").read_text() == "asked\n"

    @pytest.mark.usefixtures("changed")
    def test_conflict_is_an_error(self, steps: Any, repository: Path, tmp_path: Path) -> None:
        other = _commit_elsewhere(repository, tmp_path, "mine", "y\n")
        with pytest.raises(StepError) as failure:
            steps.run("git-push", {"path": "src"})
        assert failure.value.what.startswith(
            "error pushing commits to remote: error pulling and rebasing branch: "
            "error executing cmd [/usr/bin/git pull --rebase origin main]: "
        )
        assert _git(repository, "rev-parse", "main") == other

    @pytest.mark.usefixtures("changed")
    def test_pushing_twice_changes_nothing(self, steps: Any) -> None:
        assert steps.run("git-push", {"path": "src"}).output == steps.run("git-push", {"path": "src"}).output

    @pytest.mark.usefixtures("changed")
    def test_the_same_change_made_again_is_no_second_commit(self, steps: Any, url: str, repository: Path) -> None:
        """What a Promotion does that starts over after it had pushed to another branch than it cloned."""
        steps.run("git-push", {"path": "src", "targetBranch": "out"})
        first = _git(repository, "rev-parse", "out")
        steps.run("git-clone", {"repoURL": url, "checkout": [{"branch": "main", "path": "again"}]})
        (steps.work_dir / "again/mine").write_text("x\n")
        steps.run("git-commit", {"path": "again", "message": "mine"})
        output = steps.run("git-push", {"path": "again", "targetBranch": "out"}).output
        assert output["commit"] == first == _git(repository, "rev-parse", "out")

    @pytest.mark.usefixtures("changed")
    def test_branch_is_generated_from_the_promotion(self, steps: Any, repository: Path) -> None:
        output = steps.run("git-push", {"path": "src", "generateTargetBranch": True}, promotion="dev.2.def").output
        assert output["branch"] == "kargo/promotion/dev.2.def"
        assert _git(repository, "rev-parse", output["branch"]) == output["commit"]

    def test_detached_head_has_no_branch_to_push_to(self, steps: Any, url: str, repository: Path) -> None:
        _clone(steps, url, branch="", commit=_git(repository, "rev-parse", "main"))
        with pytest.raises(StepError, match=r"^error pushing commits to remote: error executing cmd"):
            steps.run("git-push", {"path": "src"})

    @pytest.mark.parametrize(
        ("origin", "provider", "link"),
        [
            ("https://github.com/o/r.git", None, "https://github.com/o/r/commit/"),
            ("git@gitlab.example.com:g/r.git", None, "https://gitlab.example.com/g/r/-/commit/"),
            ("https://git.example.com/o/r", "gitea", "https://git.example.com/o/r/commit/"),
            ("https://git.example.com/o/r", None, ""),
        ],
    )
    def test_commit_has_a_link_where_the_provider_is_known(
        self, steps: Any, changed: Path, origin: str, provider: str | None, link: str
    ) -> None:
        _git(changed, "config", "kargo.repoOriginalURL", origin)
        output = steps.run("git-push", {"path": "src", **({"provider": provider} if provider else {})}).output
        assert output["commitURL"] == (f"{link}{output['commit']}" if link else "")


def _race(repository: Path, tmp_path: Path, *, times: int) -> None:
    """Have the repository get a commit of somebody else's just before each push, so many times."""
    hook = repository / "hooks/before-push"
    hook.write_text(
        "#!/bin/sh\n"
        f'count=$(cat {tmp_path}/count 2>/dev/null || echo 0)\n[ "$count" -lt {times} ] || exit 0\n'
        f"echo $((count + 1)) > {tmp_path}/count\n"
        "blob=$(echo $count | git hash-object -w --stdin)\n"
        'tree=$( (git ls-tree main; printf "100644 blob $blob\\trace-$count\\n") | git mktree)\n'
        "commit=$(GIT_AUTHOR_NAME=R GIT_AUTHOR_EMAIL=r GIT_COMMITTER_NAME=R GIT_COMMITTER_EMAIL=r"
        " git commit-tree $tree -p main -m Race)\n"
        "git update-ref refs/heads/main $commit\n"
    )
    hook.chmod(0o755)
