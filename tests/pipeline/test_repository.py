from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.account import Account
from gitops_e2e.commands import CommandFailed
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline import changes
from gitops_e2e.pipeline.analysis_changes import memory_of_before
from gitops_e2e.pipeline.branch import Branch, BranchError
from gitops_e2e.pipeline.changes import Change, ChangeError
from gitops_e2e.pipeline.git import Git
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.pipeline.repository import Rendering, Repository, RepositoryHost, StageNotBuilt
from tests.pipeline.servers import Reply, Serve


def kinds(branch: Branch) -> list[str]:
    return sorted(manifest["kind"] for manifest in branch.manifests())


def find(branch: Branch, kind: str) -> Manifest:
    (found,) = (manifest for manifest in branch.manifests() if manifest["kind"] == kind)
    return found


def containers(branch: Branch) -> dict[str, Any]:
    pod = find(branch, "Rollout")["spec"]["template"]["spec"]
    return {container["name"]: container for container in pod["containers"]}


# --- main


def test_main_holds_the_manifests_as_the_pipelines_own(repository: Repository) -> None:
    clone = repository.git.folder
    files = {path.relative_to(MANIFESTS) for path in MANIFESTS.rglob("*") if path.is_file()}
    assert files <= {path.relative_to(clone) for path in clone.rglob("*")}
    text = "".join((clone / file).read_text() for file in files)
    assert "kargo-demo" not in text
    assert "/shop/product-api" in text
    assert "elsewhere.example/library/redis:8.9" in text
    assert "elsewhere.example/stress:2.0" in text
    assert [str(port) in text for port in (30087, 30088, 30089)] == [False] * 3
    assert [str(port) in text for port in (31000, 31001, 31002)] == [True] * 3


def test_nothing_else_differs_from_what_a_reader_sees(repository: Repository) -> None:
    own = repository.git.folder / "stages/prod/canary-check.yaml"
    read = MANIFESTS / "stages/prod/canary-check.yaml"
    assert own.read_text() == read.read_text().replace("kargo-demo", "shop")


def test_the_demo_is_what_a_reader_sees(make_repository: Callable[[str], Repository]) -> None:
    clone = make_repository("kargo-demo").git.folder
    assert (clone / "base/service.yaml").read_text() == (MANIFESTS / "base/service.yaml").read_text()


# --- stage branches


@pytest.mark.parametrize("stage", STAGES)
def test_render_lets_the_stage_branch_ask_for_a_release(stage: str, repository: Repository) -> None:
    commit = repository.render(stage, "0.9.0").commit
    branch = repository.branch(stage)
    assert branch.head() == commit
    assert branch.image_tag() == "0.9.0"
    assert [entry.subject for entry in branch.log()] == [f"product-api 0.9.0 in {stage}"]
    assert kinds(branch) == ["AnalysisTemplate", "Rollout", "Service", "Service"]
    assert find(branch, "Rollout")["metadata"]["namespace"] == f"shop-{stage}"


def test_a_release_is_one_commit_on_top(repository: Repository) -> None:
    first = repository.render("prod", "0.9.0").commit
    second = repository.render("prod", "1.0.0").commit
    assert [entry.id for entry in repository.branch("prod").log()] == [second, first]
    assert repository.branch("prod").image_tag() == "1.0.0"


def test_a_tag_that_yaml_takes_for_a_number_stays_a_tag(repository: Repository) -> None:
    repository.render("dev", "1.10")
    assert repository.branch("dev").image_tag() == "1.10"


def test_a_release_that_is_there_already_makes_no_commit(repository: Repository) -> None:
    first = repository.render("dev", "1.0.0")
    assert repository.render("dev", "1.0.0") == Rendering(first.commit)
    assert len(repository.branch("dev").log()) == 1


def test_a_release_tells_what_it_changes(repository: Repository) -> None:
    assert repository.render("prod", "0.9.0").changes("AnalysisTemplate")
    release = repository.render("prod", "1.0.0")
    assert release.files == ("shop-prod-rollout-shop-rollout.yaml",)
    assert release.changes("Rollout")
    assert not release.changes("AnalysisTemplate")
    repository.change(changes.memory_metric("another_metric"))
    assert not repository.render("prod", "1.0.0").changes("Rollout")


def test_a_release_leaves_main_and_other_stages_alone(repository: Repository) -> None:
    main, staging = repository.main().head(), repository.render("staging", "0.9.0").commit
    repository.render("dev", "1.0.0")
    assert repository.main().head() == main
    assert repository.branch("staging").head() == staging
    assert repository.git.run("status", "--porcelain") == ""


def test_a_release_is_put_on_top_of_what_others_pushed(
    repository: Repository, host: RepositoryHost, tmp_path: Path
) -> None:
    repository.render("dev", "0.9.0")
    other = Git.clone(host.push_url("shop"), tmp_path / "other", host.access)
    other.run("checkout", "--quiet", "stage/dev")
    other.run("commit", "--quiet", "--allow-empty", "--message", "by a promotion")
    theirs = other.run("rev-parse", "HEAD")
    other.push(theirs, "stage/dev")
    ours = repository.render("dev", "1.0.0").commit
    assert [entry.id for entry in repository.branch("dev").log()][:2] == [ours, theirs]


def test_files_are_named_as_kargo_names_them(repository: Repository) -> None:
    head = repository.render("dev", "0.9.0").commit
    assert repository.git.run("ls-tree", "--name-only", head).splitlines() == [
        "shop-dev-analysistemplate-canary-check.yaml",
        "shop-dev-rollout-shop-rollout.yaml",
        "shop-dev-service-shop-canary.yaml",
        "shop-dev-service-shop-stable.yaml",
    ]


def test_a_stage_that_has_no_overlay_cannot_be_rendered(repository: Repository) -> None:
    with pytest.raises(StageNotBuilt, match=r"cannot build stage qa[\s\S]*stages/qa"):
        repository.render("qa", "0.9.0")


def test_what_came_on_top_of_a_commit(repository: Repository) -> None:
    baseline = repository.render("dev", "0.9.0").commit
    branch = repository.branch("dev")
    assert branch.since(baseline) == ()
    release = repository.render("dev", "1.0.0").commit
    other = repository.commit_beside("dev")
    assert [entry.id for entry in branch.since(baseline)] == [other, release]
    assert [entry.id for entry in branch.since(release)] == [other]


def test_a_branch_that_was_rewritten_says_so(repository: Repository) -> None:
    baseline = repository.render("dev", "0.9.0").commit
    other = repository.render("staging", "1.0.0").commit
    repository.git.run("push", "--quiet", "--force", "origin", f"{other}:refs/heads/stage/dev")
    with pytest.raises(BranchError, match=rf"does not rest on commit {baseline[:7]} any more: it has {other[:7]} \("):
        repository.branch("dev").since(baseline)


def test_a_branch_that_is_set_back_loses_its_newest_commit(repository: Repository) -> None:
    baseline = repository.render("dev", "0.9.0").commit
    repository.render("dev", "1.0.0")
    assert repository.git.set_back("stage/dev") == baseline
    repository.branch("dev").require("0.9.0", baseline)


def test_what_a_branch_must_ask_for(repository: Repository) -> None:
    commit = repository.render("dev", "1.0.0").commit
    branch = repository.branch("dev")
    branch.require("1.0.0", commit)
    with pytest.raises(BranchError, match=r"stage/dev asks for 1\.0\.0 instead of 0\.9\.0"):
        branch.require("0.9.0", commit)
    other = repository.commit_beside("dev")
    with pytest.raises(BranchError, match=rf"stage/dev is at {other[:7]} \(Leave a notice\) instead of {commit[:7]}"):
        branch.require("1.0.0", commit)


def test_a_branch_that_is_not_there_says_so(repository: Repository) -> None:
    with pytest.raises(BranchError, match="no branch stage/dev"):
        repository.branch("dev").head()


def test_a_container_of_the_branch(repository: Repository) -> None:
    repository.render("prod", "0.9.0")
    assert "256M" in repository.branch("prod").container("stress")["args"]


def test_a_container_that_is_not_there_says_so(repository: Repository) -> None:
    repository.render("dev", "0.9.0")
    with pytest.raises(BranchError, match="no Rollout on branch stage/dev has a container stress"):
        repository.branch("dev").image_tag("stress")


def test_a_branch_whose_server_is_gone_is_an_error(repository: Repository, host: RepositoryHost) -> None:
    repository.render("dev", "0.9.0")
    host.delete("shop")
    with pytest.raises(CommandFailed, match="git"):
        repository.branch("dev").head()


# --- changes


def test_a_change_is_a_commit_on_main_and_reaches_a_stage_with_its_next_release(repository: Repository) -> None:
    repository.render("prod", "0.9.0")
    commit = repository.change(changes.pauses(5))
    assert repository.main().log()[0].id == commit
    assert repository.main().log()[0].subject == "Pause 5 s between the canary's steps"
    assert pauses(repository.branch("prod")) == ["30s", "30s"]
    repository.render("prod", "1.0.0")
    assert pauses(repository.branch("prod")) == ["5s", "5s"]


def pauses(branch: Branch) -> list[str]:
    steps = find(branch, "Rollout")["spec"]["strategy"]["canary"]["steps"]
    return [step["pause"]["duration"] for step in steps if "pause" in step]


def test_a_config_map_comes_and_goes(repository: Repository) -> None:
    repository.change(changes.config_map("notes"))
    repository.render("dev", "0.9.0")
    assert repository.branch("dev").has("ConfigMap", "notes")
    repository.change(changes.no_config_map("notes"))
    repository.render("dev", "0.9.0")
    assert not repository.branch("dev").has("ConfigMap", "notes")


def test_prod_no_longer_carries_the_sidecar(repository: Repository) -> None:
    repository.render("prod", "0.9.0")
    assert "stress" in containers(repository.branch("prod"))
    repository.change(changes.no_stress_sidecar())
    repository.render("prod", "1.0.0")
    assert sorted(containers(repository.branch("prod"))) == ["product-api", "redis"]


def test_environment_is_set_and_replaced(repository: Repository) -> None:
    def environment() -> dict[str, str]:
        repository.render("dev", "0.9.0")
        return {entry["name"]: entry["value"] for entry in containers(repository.branch("dev"))["product-api"]["env"]}

    before = environment()
    repository.change(changes.environment("FAULT_MEMORY_MIB", "200"))
    assert environment() == {**before, "FAULT_MEMORY_MIB": "200"}
    repository.change(changes.environment("FAULT_MEMORY_MIB", "100"))
    assert environment() == {**before, "FAULT_MEMORY_MIB": "100"}


def test_a_deadline_can_be_shorter(repository: Repository) -> None:
    repository.change(changes.progress_deadline(20))
    repository.render("prod", "1.0.0")
    assert find(repository.branch("prod"), "Rollout")["spec"]["progressDeadlineSeconds"] == 20


def test_a_canary_that_never_gets_ready(repository: Repository) -> None:
    repository.change(changes.never_ready())
    repository.render("prod", "1.0.0")
    probe = containers(repository.branch("prod"))["product-api"]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/there-is-no-such-path"


@pytest.mark.parametrize(
    ("asked_before", "ready"),
    [(0, False), (3, False), (4, True), (7, True), (8, False), (12, True), (15, True), (16, True)],
)
def test_a_probe_flaps_for_a_while(repository: Repository, tmp_path: Path, asked_before: int, ready: bool) -> None:
    repository.change(changes.flaps(15))
    repository.render("dev", "1.0.0")
    *shell, script = containers(repository.branch("dev"))["product-api"]["readinessProbe"]["exec"]["command"]
    asked = tmp_path / "asked"
    asked.write_text("1000")
    script = re.sub(r"/tmp/\w+", str(asked), script).replace("$(date +%s)", str(1000 + asked_before))  # noqa: S108 - the file that is named in the script
    assert (subprocess.run([*shell, script], check=False, timeout=10).returncode == 0) is ready


def test_prod_can_ask_by_a_clock_that_is_slow(repository: Repository) -> None:
    repository.change(memory_of_before(10))
    repository.render("prod", "1.0.0")
    (metric,) = find(repository.branch("prod"), "AnalysisTemplate")["spec"]["metrics"]
    assert re.search(r"} offset 10m\s*\)\s*\)\s*$", metric["provider"]["prometheus"]["query"])


def test_prod_can_ask_another_prometheus_for_another_metric(repository: Repository) -> None:
    repository.change(changes.prometheus_address("http://nobody.example.invalid"))
    repository.change(changes.memory_metric("nothing_reports_this"))
    repository.render("prod", "1.0.0")
    (metric,) = find(repository.branch("prod"), "AnalysisTemplate")["spec"]["metrics"]
    prometheus = metric["provider"]["prometheus"]
    assert prometheus["address"] == "http://nobody.example.invalid"
    assert "nothing_reports_this{" in prometheus["query"]
    assert "container_memory_working_set_bytes" not in prometheus["query"]


def test_a_change_of_nothing_is_refused(repository: Repository) -> None:
    main = repository.main().head()
    with pytest.raises(ChangeError, match="nothing was changed by: Look away"):
        repository.change(Change("Look away", lambda _: None))
    assert repository.main().head() == main


def test_a_sidecar_can_be_taken_out_once(repository: Repository) -> None:
    repository.change(changes.no_stress_sidecar())
    with pytest.raises(ChangeError, match="prod carries no stress sidecar"):
        repository.change(changes.no_stress_sidecar())


def test_a_change_of_a_file_that_is_not_there_is_refused(repository: Repository) -> None:
    change = changes.edited("base/no.yaml", lambda _: None, "Edit no.yaml")
    with pytest.raises(ChangeError, match="main has no such file"):
        repository.change(change)


# --- the user's own git


def test_the_users_settings_have_no_say(
    make_repository: Callable[[str], Repository], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Someone\n\temail = someone@example.invalid\n"
        "[commit]\n\tgpgsign = true\n[core]\n\thooksPath = /x\n"
    )
    (home / ".config/git/ignore").write_text("*.yaml\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    repository = make_repository("shop")
    head = repository.render("dev", "0.9.0").commit
    assert repository.git.run("log", "--format=%an %ae", head) == "gitops-e2e gitops-e2e@example.invalid"
    assert len(repository.branch("dev").manifests()) == 4
    assert len(repository.main().manifests()) > 4


def test_git_never_asks_for_a_password(serve: Serve, tmp_path: Path) -> None:
    url = serve(lambda _: Reply(401, "", {"WWW-Authenticate": 'Basic realm="git"'})).url
    with pytest.raises(CommandFailed, match="Authentication failed"):
        Git.clone(f"{url}/private.git", tmp_path / "clone", {})


def test_git_logs_in_by_its_environment_and_shows_no_password(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: Reply(404))
    account = Account("robot", "pass word")
    with pytest.raises(CommandFailed, match="not found") as failure:
        Git.clone(f"{server.url}/private/shop.git", tmp_path / "clone", account.git_environment())
    assert server.logins == ["Basic " + base64.b64encode(b"robot:pass word").decode()]
    shown = f"{failure.value}{failure.value.output}{Git(tmp_path, account.git_environment())!r}"
    assert "pass word" not in shown
    assert server.logins[0].partition(" ")[2] not in shown


def test_git_asks_no_proxy(serve: Serve, nobody: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", nobody)
    with pytest.raises(CommandFailed, match="not found"):
        Git.clone(f"{serve(lambda _: Reply(404)).url}/none.git", tmp_path / "clone", {})


def test_a_manifest_of_main_can_be_read(repository: Repository) -> None:
    assert repository.manifest("applicationset.yaml")["metadata"]["name"] == "shop"
    assert yaml.safe_load((repository.git.folder / "applicationset.yaml").read_text())["kind"] == "ApplicationSet"
