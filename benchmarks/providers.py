"""kind and the built-in node in one run: how soon each is ready, judges a canary and is gone, and what it takes."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from benchmarks.figure import Figure
from benchmarks.machine import name_of, run_features, tell_load, warm
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.node_image import make_node_image
from gitops_e2e.clusters.kind.own_engine import some_engine
from gitops_e2e.errors import HarnessError
from gitops_e2e.machine.capacity import available_memory

_PROVIDERS = ("node", "kind")
_HEADLINE = "prod_canary_exceeds_150mb_and_rolls_back"
_FIGURES = {"cluster_ready": "s", "stack_ready": "s", "headline": "s", "teardown": "s", "memory": "GB"}
_ENDED = {
    "cluster_ready": re.compile(r"  ✓ starting cluster .* \(([\d.]+) s\)"),
    "stack_ready": re.compile(r"  ✓ installing the stack \(([\d.]+) s\)"),
    "teardown": re.compile(r"  ✓ deleting cluster .* \(([\d.]+) s\)"),
}
_RUN_BOUND = 900.0
_SAMPLING = 0.5
_GB = 10**9


def names() -> Iterator[str]:
    """`node_cluster_ready_s`, `kind_cluster_ready_s`, `kind_over_node_cluster_ready`, and so on."""
    for name in _FIGURES:
        yield from (_name(provider, name) for provider in _PROVIDERS)
        yield f"kind_over_node_{name}"


def measure() -> Iterator[Figure]:
    """One run of the headline scenario on each, with everything built and the engine having the node's image.

    The cluster's, the stack's and the teardown's time is what the run says of them, the headline's its scenario's.
    `memory` is by how much the machine's available memory fell at the most, Docker engine left out.
    """
    images = warm()
    image = make_node_image(images)
    with some_engine(images.cache) as engine:
        if not engine.has_image(image.reference):
            engine.load(image.archive)
        measured = {provider: _run(provider, engine) for provider in _PROVIDERS}
    for name, unit in _FIGURES.items():
        for provider in _PROVIDERS:
            yield Figure(_name(provider, name), measured[provider][name], unit)
        yield Figure(f"kind_over_node_{name}", measured["kind"][name] / measured["node"][name], "ratio")


def _name(provider: str, name: str) -> str:
    return f"{provider}_{name}_{_FIGURES[name].lower()}"


def _run(provider: str, engine: Engine) -> Mapping[str, float]:
    tell_load()
    with tempfile.TemporaryDirectory() as folder, _Memory() as memory:
        found = _seconds(
            ["--cluster", provider, "--cluster-name", name_of(provider), f"--reports={folder}", "-k", _HEADLINE],
            engine.environment,
        )
        [summary] = Path(folder).glob("*/summary.json")
        [headline] = [each for each in json.loads(summary.read_text())["scenarios"] if each["attempts"]]
    return {**found, "headline": headline["seconds"], "memory": memory.taken / _GB}


def _seconds(options: list[str], environment: Mapping[str, str]) -> dict[str, float]:
    """What a run says of how long its parts took."""
    found: dict[str, float] = {}
    for line in run_features(options, bound=_RUN_BOUND, environment=environment):
        found |= {name: float(match[1]) for name, pattern in _ENDED.items() if (match := pattern.match(line))}
    if found.keys() != _ENDED.keys():
        raise HarnessError("`pytest features/` did not say how long all of its parts took")
    return found


class _Memory:
    """By how many bytes the available memory has fallen at the most, since the block was entered."""

    def __init__(self) -> None:
        self._before = available_memory()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self.taken = 0

    def __enter__(self) -> Self:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLING):
            self.taken = max(self.taken, self._before - available_memory())
