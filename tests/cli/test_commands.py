"""The commands without a cluster: bad input, Freight by alias, pictures of recorded rollouts, tables."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from gitops_e2e.cli.main import run
from gitops_e2e.cli.promote import NoFreight, choose
from gitops_e2e.cli.rollout_view import view
from gitops_e2e.cli.status import show
from gitops_e2e.demo.errors import OtherDemo
from gitops_e2e.demo.health import ComponentHealth, Health, StageHealth, rollout_trouble, stage_trouble
from gitops_e2e.demo.naming import command
from gitops_e2e.demo.settings import Settings
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.pipeline.freight import Freight
from gitops_e2e.pipeline.kargo import STAGES
from gitops_e2e.pipeline.rollout import WatchedRollout
from gitops_e2e.pipeline.stage import Stage
from gitops_e2e.pipeline.update import Update, WatchedUpdate
from tests import kargo_recorded
from tests.recorded import idle_cache, play, recording

LOCAL = Settings(kargo="engine", bundle="", pull="", git_url="", ecr="")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nope"], 2, "No such command 'nope'"),
        (["watch", "qa"], 2, "'qa' is not one of 'dev', 'staging', 'prod'"),
        (["promote"], 2, "Missing argument '{dev|staging|prod}'"),
        (["up", "--cluster", "cloud"], 2, "'cloud' is not one of"),
        (["up", "--git-url", "ftp://host/repository"], 1, "is no address of a Git repository over https"),
        (["up", "--git-url", "https://github.com/me/demo.git"], 1, "GITHUB_USERNAME and GITHUB_TOKEN not set"),
        (["up", "--ecr", "product-api"], 1, "'product-api' is no repository in ECR"),
        (["up", "--bundle", "/nonexistent"], 1, "the bundle cannot be read"),
        (["status", "--name", "no-such-demo"], 1, "there is no demo called no-such-demo"),
        (
            ["watch", "dev", "--name", "no-such-demo"],
            1,
            "bring it up with `python -m gitops_e2e up --name no-such-demo`",
        ),
        (["promote", "prod", "--name", "no-such-demo"], 1, "there is no demo called no-such-demo"),
        (["credentials", "refresh", "--name", "no-such-demo"], 1, "there is no demo called no-such-demo"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: list[str],
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GITHUB_USERNAME", "GITHUB_TOKEN", "GITOPS_E2E_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    assert run(arguments) == code

    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.out == ""


def test_a_demo_with_other_settings_is_told_apart() -> None:
    LOCAL.require(LOCAL)
    with pytest.raises(OtherDemo, match=r"with git-url not given instead of https://git\.example/mine\.git"):
        LOCAL.require(Settings("engine", "", "", "https://git.example/mine.git", ""))


def test_a_demos_images_are_in_the_registry_that_it_was_brought_up_with() -> None:
    outside = replace(LOCAL, registry="https://registry.example/team")
    assert outside.names.image_repository() == "registry.example/team/kargo-demo/product-api"
    assert outside.supply.outside == RemoteRegistry("registry.example/team")


def test_a_command_names_the_demo_unless_it_is_the_default_one() -> None:
    assert command("watch dev", "demo") == "python -m gitops_e2e watch dev"
    assert command("watch dev", "other") == "python -m gitops_e2e watch dev --name other"


def test_freight_is_chosen_by_alias_or_name_and_the_newest_otherwise() -> None:
    pieces = tuple(map(Freight.of, kargo_recorded.objects("at-the-end/freights")))
    first, last = pieces[0], pieces[-1]

    assert choose(pieces, "") == last
    assert choose(pieces, first.alias) == choose(pieces, first.name) == first
    with pytest.raises(NoFreight, match="there is no Freight called 'nope'; there is"):
        choose(pieces, "nope")
    with pytest.raises(NoFreight, match="there is no Freight yet"):
        choose((), "")


def _played(name: str) -> list[tuple[Update, str]]:
    """Each state of a recorded update, and its picture."""
    cache = idle_cache()
    changes = recording(name)
    namespace = next(each.namespace for each in changes if each.kind == "Rollout")
    watched = WatchedUpdate(WatchedRollout(cache, namespace, "shop", after=2))
    pictures = []
    for change in changes:
        play(cache, [change])
        update = watched.read(cache.now())
        if isinstance(update, Update):
            screen = Console(file=io.StringIO(), width=160)
            screen.print(view(update, 7))
            pictures.append((update, screen.file.getvalue()))  # type: ignore[attr-defined]
    return pictures


def test_a_rollback_as_it_is_watched() -> None:
    pictures = _played("rollback")
    last, shown = pictures[-1]

    assert any("▶ analysis" in picture and not update.is_over for update, picture in pictures)
    assert last.is_over
    assert not last.rollout.is_complete
    assert "✖ Degraded" in shown
    assert "✖ Failed  AnalysisRun shop-76cd6657d9-2-2  step 2" in shown
    assert "revision 1 stable  shop-c99cd8457  3 of 3 ready" in shown
    assert "\x1b[" not in shown
    assert rollout_trouble(last.rollout).startswith("Degraded")


def test_a_good_canary_as_it_is_watched() -> None:
    pictures = _played("good_canary")
    last, shown = pictures[-1]

    assert {0, 2, 3} <= {update.rollout.step for update, _ in pictures}
    assert last.is_over
    assert last.rollout.is_complete
    assert "✔ Healthy" in shown
    assert "✔ Successful  AnalysisRun" in shown
    assert rollout_trouble(last.rollout) == ""


def test_a_stage_is_in_trouble_when_kargo_says_so() -> None:
    stages = [Stage.of(each) for each in kargo_recorded.sequence(STAGES)]

    assert {stage_trouble(each) != "" for each in stages if each.health == "Unhealthy"} == {True}
    assert any(each.health == "Healthy" and stage_trouble(each) == "" for each in stages)


def test_status_is_two_tables_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    health = Health(
        components=(ComponentHealth("Argo CD", "v3", "argocd", ""), ComponentHealth("Kargo", "1.8", "kargo", "gone")),
        warehouse="discovered 1.0.0",
        stages=(StageHealth("prod", "0.9.0", "Degraded", "Synced, Degraded", "1.0.0", "200 by 0.9.0", ("Degraded",)),),
        troubles=("Kargo: gone", "prod: Degraded"),
    )

    show(health)

    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[1] == ["Argo", "CD", "v3", "argocd", "healthy"]
    assert lines[2] == ["Kargo", "1.8", "kargo", "unhealthy"]
    assert (lines[4][0], lines[4][-1]) == ("prod", "unhealthy")
    assert lines[5] == ["Warehouse:", "discovered", "1.0.0"]
