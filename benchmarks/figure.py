"""A measured figure, and what gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from statistics import median_low


@dataclass(frozen=True)
class Figure:
    """A value in a unit. `goal` is what it should not exceed, `floor` what it cannot fall below, where there is one."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    floor: float | None = None

    def as_json(self) -> str:
        """The figure as one line, with three decimals."""
        rounded = replace(self, value=round(self.value, 3), floor=None if self.floor is None else round(self.floor, 3))
        return json.dumps(asdict(rounded))


@dataclass(frozen=True)
class Benchmark:
    """Measures the figures of these names; `on_request` where it takes too long to be run unless it is named."""

    names: tuple[str, ...]
    measure: Callable[[], Iterator[Figure]]
    on_request: bool = False


def middle(runs: list[Figure]) -> Figure:
    """The run with the median value, with its own floor."""
    value = median_low(run.value for run in runs)
    return next(run for run in runs if run.value == value)
