from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.images.bases import Base, upstream


@pytest.mark.parametrize(
    ("debian", "software"),
    [
        ("5:8.0.2-3+deb13u3", "8.0.2"),
        ("2.53.3+ds1-2", "2.53.3"),
        ("1:2.47.3-0+deb13u1", "2.47.3"),
        ("0.2.1-2+b14", "0.2.1"),
        ("250", "250"),
        ("2.0-beta-1", "2.0-beta"),
        ("3.0~rc1-1", "3.0-rc1"),
    ],
)
def test_a_debian_version_says_which_version_of_the_software_it_is(debian: str, software: str) -> None:
    assert upstream(debian) == software


@pytest.fixture
def base(tmp_path: Path) -> Base:
    (tmp_path / "packages").write_text("dash 0.5.12-12\nredis-server 5:8.0.2-3+deb13u3\n")
    return Base(tmp_path)


def test_a_base_knows_the_versions_in_it(base: Base) -> None:
    assert base.versions == {"dash": "0.5.12-12", "redis-server": "5:8.0.2-3+deb13u3"}
    assert base.version("redis-server") == "8.0.2"


def test_a_package_that_is_not_in_a_base_is_named(base: Base) -> None:
    with pytest.raises(HarnessError, match="the base has no package redis"):
        base.version("redis")
