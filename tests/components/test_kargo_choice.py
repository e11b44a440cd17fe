"""Which Kargo a run has: by what is asked for, and by what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, BundleError, Chart, ImageArchive
from gitops_e2e.components.kargo import KargoChoice, NoKargo
from gitops_e2e.images.catalogue import GROUPS, WITH_KARGO

IMAGE = ImageArchive(Path("/bundle/a.tar"), "oci-archive", "ghcr.io/akuity/kargo", "v1.8.4", "sha256:0")
CHART = Chart(Path("/bundle/a.tgz"), "kargo", "1.8.4", "0")

NONE = Bundle()
ONLY_IMAGE = Bundle(Path("/bundle"), (IMAGE,))
ONLY_CHART = Bundle(Path("/bundle"), (), (CHART,))
BOTH = Bundle(Path("/bundle"), (IMAGE,), (CHART,))


@pytest.mark.parametrize(
    ("wanted", "bundle", "pull", "told"),
    [
        ("auto", BOTH, False, "Kargo 1.8.4 itself (auto: the bundle has its image and its chart)"),
        ("real", BOTH, False, "Kargo 1.8.4 itself (asked for: the bundle has its image and its chart)"),
        ("auto", BOTH, True, "Kargo 1.8.4 itself (auto: the bundle has its image and its chart)"),
        ("auto", ONLY_IMAGE, True, "Kargo 1.8.4 itself (auto: its chart may be pulled)"),
        ("auto", NONE, True, "Kargo 1.8.4 itself (auto: its image and chart may be pulled)"),
        ("real", NONE, True, "Kargo 1.8.4 itself (asked for: its image and chart may be pulled)"),
    ],
)
def test_kargo_itself(wanted: str, bundle: Bundle, pull: bool, told: str) -> None:
    choice = KargoChoice.of(wanted, bundle, pull=pull)
    assert str(choice) == told
    assert choice.groups == WITH_KARGO


@pytest.mark.parametrize(
    ("wanted", "bundle", "reason"),
    [
        ("auto", NONE, "auto: no bundle is given, and nothing may be pulled"),
        ("auto", ONLY_IMAGE, "auto: the bundle has no chart of it"),
        ("auto", ONLY_CHART, "auto: the bundle has no image of it"),
        ("auto", Bundle(Path("/bundle")), "auto: the bundle has no image and no chart of it"),
        ("engine", BOTH, "asked for"),
        ("engine", NONE, "asked for"),
    ],
)
def test_the_engine_in_its_place(wanted: str, bundle: Bundle, reason: str) -> None:
    choice = KargoChoice.of(wanted, bundle, pull=False)
    assert str(choice) == f"the promotion engine 0.1.0, in place of Kargo 1.8.4 ({reason})"
    assert choice.groups == GROUPS


def test_the_default_is_what_a_run_without_options_has() -> None:
    assert KargoChoice() == KargoChoice.of("auto", NONE, pull=False)


@pytest.mark.parametrize(
    ("bundle", "lacking"),
    [
        (NONE, "no bundle is given"),
        (ONLY_IMAGE, "the bundle has no chart of it"),
        (ONLY_CHART, "the bundle has no image of it"),
    ],
)
def test_kargo_itself_has_to_be_there_where_it_is_asked_for(bundle: Bundle, lacking: str) -> None:
    with pytest.raises(NoKargo) as refused:
        KargoChoice.of("real", bundle, pull=False)
    assert refused.value.what == (
        f"--kargo real needs image ghcr.io/akuity/kargo:v1.8.4 and chart kargo 1.8.4: {lacking}, "
        "and nothing may be pulled"
    )
    assert "--kargo engine" in str(refused.value.remedy)


@pytest.mark.parametrize("wanted", ["auto", "real", "engine"])
def test_a_chart_of_another_version_is_refused_whatever_is_asked_for(wanted: str) -> None:
    bundle = Bundle(Path("/bundle"), (IMAGE,), (Chart(Path("/bundle/b.tgz"), "kargo", "1.8.3", "0"),))
    with pytest.raises(BundleError) as refused:
        KargoChoice.of(wanted, bundle, pull=False)
    assert refused.value.what == "the bundle has chart kargo 1.8.3, but 1.8.4 is what this stack is made for"
    assert refused.value.where == "/bundle/b.tgz"
