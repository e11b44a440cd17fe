"""A folder of archives: what is in it, and folders that are no bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, BundleError, Chart
from tests.archives import SmallImage, write_chart, write_tar


def test_images_and_charts_are_found_by_what_they_say_of_themselves(tmp_path: Path) -> None:
    write_tar(tmp_path / "one.tar", SmallImage().layout("ghcr.io/akuity/kargo:v1.8.4"))
    write_tar(tmp_path / "two.tar.gz", SmallImage().saved("quay.io/argoproj/argocd:v3.2.11"), compressed=True)
    write_chart(tmp_path / "three.tgz", "kargo", "1.8.4")
    (tmp_path / "README").write_text("made in March\n")
    (tmp_path / "more").mkdir()
    bundle = Bundle.open(tmp_path)
    assert [image.path.name for image in bundle.images] == ["one.tar", "two.tar.gz"]
    image, chart = bundle.image("ghcr.io/akuity/kargo:v1.8.4"), bundle.chart("kargo")
    assert image
    assert image.path.name == "one.tar"
    assert bundle.image("ghcr.io/akuity/kargo:v1.8.3") is None
    assert chart
    assert (str(chart), bundle.chart("argo-cd")) == ("chart kargo 1.8.4", None)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "neither image archives (.tar, .tar.gz) nor Helm charts (.tgz)"),
        (["a.tar", "b.tar"], "the bundle has a:1 twice: a.tar and b.tar"),
    ],
)
def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path, names: list[str], words: str) -> None:
    for name in names:
        write_tar(tmp_path / name, SmallImage().layout("a:1"))
    with pytest.raises(BundleError) as refused:
        Bundle.open(tmp_path)
    assert words in refused.value.what
    assert refused.value.where == str(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.open(tmp_path / "nowhere")


def test_one_bad_archive_spoils_the_bundle(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", SmallImage().layout("a:1"))
    (tmp_path / "b.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:700])
    with pytest.raises(BundleError) as refused:
        Bundle.open(tmp_path)
    assert refused.value.where == str(tmp_path / "b.tar")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"kargo/values.yaml": b""}, "it has no Chart.yaml"),
        ({"kargo/charts/more/Chart.yaml": b"name: more"}, "it has no Chart.yaml"),
        ({"kargo/Chart.yaml": b"name: kargo"}, "its Chart.yaml does not say the chart's name and version"),
        ({"kargo/Chart.yaml": b"{"}, "its Chart.yaml does not say the chart's name and version"),
    ],
)
def test_a_file_that_is_no_chart_is_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(BundleError) as refused:
        Chart.read(write_tar(tmp_path / "a.tgz", files, compressed=True))
    assert words in refused.value.what


def test_a_truncated_chart_is_refused(tmp_path: Path) -> None:
    path = write_chart(tmp_path / "a.tgz", "kargo", "1.8.4", {"values.yaml": "a: 1\n" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BundleError, match="cannot be read to its end"):
        Chart.read(path)
