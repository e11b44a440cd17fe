"""The step definitions of a checkout, as pytest-bdd registers them when their modules are imported."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import itertools
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from pytest_bdd.parsers import StepParser
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from gitops_e2e.lint.finding import Finding

_CONFTEST = "conftest.py"
_copies = itertools.count()


@dataclass(frozen=True)
class StepDefinition:
    """A step: where it is defined, of which type it is ("given", or "" for all), and how it matches sentences."""

    file: str
    line: int
    type: str
    parser: StepParser
    is_async: bool

    @property
    def name(self) -> str:
        """The sentence, with its placeholders."""
        return str(self.parser.name)

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What tells it from all others, by place first: a module may be imported by another one, too."""
        return (self.file, self.line, self.type, self.name)

    @property
    def place(self) -> str:
        """Where it is defined."""
        return f"{self.file}:{self.line}"

    def fits(self, text: str) -> bool:
        """Whether it matches a sentence, of whatever type."""
        return self.parser.is_matching(text)

    def matches(self, type_: str, text: str) -> bool:
        """Whether it matches a sentence of a type."""
        return self.type in {"", type_} and self.fits(text)

    def find(self, what: str, mend: str) -> Finding:
        """Something wrong with it."""
        return Finding(self.file, self.line, what, mend)


@dataclass(frozen=True)
class StepDefinitions:
    """All steps in the modules that `conftest.py` names, in the order of their places."""

    all: tuple[StepDefinition, ...]
    findings: tuple[Finding, ...]

    @staticmethod
    def load(root: Path) -> StepDefinitions:
        """Import the modules under names of their own, so that those of two checkouts stay apart."""
        findings: list[Finding] = []
        before = {id(context): context for context in step_function_context_registry.values()}
        modules: list[ModuleType] = []  # the registry forgets the steps of a module that is gone
        plugins = _plugins(root)
        for name, line in plugins.items():
            path = root / f"{name.replace('.', '/')}.py"
            if not path.is_file():
                what = f"pytest_plugins names {name}, and there is no such module"
                findings.append(Finding(_CONFTEST, line, what, "mend the name, or remove it"))
                continue
            try:
                modules.append(_import(path))
            except Exception as error:  # noqa: BLE001 - told as a finding
                findings.append(_broken(root, path, error))
        findings += _unnamed(root, plugins)
        new = [context for context in step_function_context_registry.values() if id(context) not in before]
        found = {each.key: each for each in map(partial(_definition, root), new) if each}
        return StepDefinitions(tuple(found[key] for key in sorted(found)), tuple(findings))


def _plugins(root: Path) -> dict[str, int]:
    """The names in the list `pytest_plugins` of the root's conftest.py, with their lines."""
    conftest = root / _CONFTEST
    if not conftest.is_file():
        return {}
    for node in ast.parse(conftest.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytest_plugins"]:
            names = [each for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            return {str(each.value): each.lineno for each in names}
    return {}


def _unnamed(root: Path, plugins: dict[str, int]) -> Iterator[Finding]:
    for path in sorted((root / "steps").glob("*.py")):
        name = f"steps.{path.stem}"
        if path.stem != "__init__" and name not in plugins:
            what = f"pytest_plugins of {_CONFTEST} does not name {name}, so no scenario finds its steps"
            yield Finding(f"steps/{path.name}", 1, what, f'add "{name}" to pytest_plugins')


def _import(path: Path) -> ModuleType:
    name = f"gitops_e2e_lint_{next(_copies)}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 - a file that ends in .py has one
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # data classes look their module up
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def _broken(root: Path, path: Path, error: Exception) -> Finding:
    file = str(path.relative_to(root))
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(lines), 1)
    return Finding(file, line or 1, f"this module cannot be imported: {error}", "mend this line")


def _definition(root: Path, context: StepFunctionContext) -> StepDefinition | None:
    """The definition, if it is one of the checkout."""
    function = inspect.unwrap(context.step_func)
    path = Path(function.__code__.co_filename)
    if not path.is_relative_to(root):
        return None
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    file = str(path.relative_to(root))
    return StepDefinition(file, function.__code__.co_firstlineno, context.type or "", context.parser, is_async)
