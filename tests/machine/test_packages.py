from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops_e2e.machine import packages
from gitops_e2e.machine.packages import PackagesMissing, require

POLICY = Path("/usr/sbin/policy-rc.d")


def test_what_is_installed_needs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    require("dpkg", "libc-bin>=2")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("package", "missing"),
    [("dpkg", False), ("dpkg>=1.0", False), ("dpkg>=99", True), ("no-such-package-anywhere", True)],
)
def test_a_package_is_missing_when_it_is_absent_or_too_old(package: str, missing: bool) -> None:
    assert packages._missing([package]) == ([package] if missing else [])


@pytest.mark.node
def test_a_package_that_does_not_exist_is_named() -> None:
    with pytest.raises(PackagesMissing, match=r"no-such-package-anywhere[\s\S]*Unable to locate package"):
        require("dpkg", "no-such-package-anywhere")


@pytest.mark.node
def test_a_service_may_not_start_meanwhile_and_the_machine_is_as_before_afterwards() -> None:
    before = POLICY.read_text() if POLICY.exists() else None
    with packages._no_service_starting() as prefix:
        ask = subprocess.run([*prefix, POLICY, "some-service", "start"], timeout=30, check=False)
        # Whoever else asks while we install gets the machine's own answer, or none.
        beside = POLICY.read_text()
    assert ask.returncode == 101
    assert beside == (before or "")
    assert (POLICY.read_text() if POLICY.exists() else None) == before
