from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.toolchain.gomod import GoMod, command_name

TEXT = """\
module example.test/tools // a comment

go 1.25.5

tool (
	example.test/a/cmd/server // indirect
	example.test/b/v3
)

tool example.test/c

require example.test/a v1.2.3

require (
	example.test/b/v3 v3.2.11
	example.test/d v0.0.0-20230701184339-69f417ae176d // indirect
)

replace example.test/d => example.test/e v1.0.0
"""


@pytest.fixture
def mod(tmp_path: Path) -> GoMod:
    path = tmp_path / "go.mod"
    path.write_text(TEXT)
    return GoMod.read(path)


def test_the_oldest_go_is_read(mod: GoMod) -> None:
    assert mod.go == "1.25.5"


def test_tools_are_read_alone_and_in_parentheses(mod: GoMod) -> None:
    assert mod.tools == ("example.test/a/cmd/server", "example.test/b/v3", "example.test/c")


def test_requirements_are_read_and_replacements_are_none(mod: GoMod) -> None:
    assert mod.requirements == {
        "example.test/a": "v1.2.3",
        "example.test/b/v3": "v3.2.11",
        "example.test/d": "v0.0.0-20230701184339-69f417ae176d",
    }


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("sigs.k8s.io/kustomize/kustomize/v5", "kustomize"),
        ("example.test/v8engine", "v8engine"),
    ],
)
def test_a_command_has_the_name_that_go_install_gives_it(package: str, name: str) -> None:
    assert command_name(package) == name
