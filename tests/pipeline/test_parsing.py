from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.pipeline.parsing import ManifestError, require_parsable
from gitops_e2e.pipeline.platform import MANIFESTS


def test_the_demo_s_manifests_parse() -> None:
    require_parsable(MANIFESTS)


def test_the_first_one_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/fine.yaml").write_text("a: 1\n---\nb: 2\n")
    (tmp_path / "base/wrong.yaml").write_text("a: 1\n  b: 2\n")

    with pytest.raises(ManifestError, match="this manifest does not parse: mapping values") as refusal:
        require_parsable(tmp_path)

    assert refusal.value.where == f"{tmp_path}/base/wrong.yaml:2"
    assert refusal.value.remedy == "mend it, and run again"
