"""`--kargo real`, on a real node. Kargo's image and chart cannot be had here: their stand-ins are in the bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.running import run
from tests.kargo_stand_in import write_stand_in_bundle

pytestmark = pytest.mark.node

# That it is ready in its version, and a promotion during which all its pods are killed.
_SCENARIOS = ("-m", "", "-k", "(is_ready and Kargo) or (killed_after and push)")


@pytest.mark.parametrize("image_format", ["oci-archive", "docker-archive"])
def test_a_bundle_with_its_image_and_chart_brings_it_up_and_scenarios_pass(tmp_path: Path, image_format: str) -> None:
    bundle = write_stand_in_bundle(tmp_path / "bundle", image_format)

    code, text = run(*_SCENARIOS, "--kargo", "real", env={"GITOPS_E2E_BUNDLE": str(bundle)})

    assert code == 0, text
    assert "Kargo: Kargo 1.8.4 itself (asked for: the bundle has its image and its chart)" in text
    assert f"bundle {bundle}: ghcr.io/akuity/kargo:v1.8.4, chart kargo 1.8.4" in text
    assert "2 passed" in text
