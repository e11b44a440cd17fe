"""How long anything may take, in one table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches

from gitops_e2e.errors import HarnessError


@dataclass(frozen=True)
class Budgets:
    """The longest wait for each thing that is waited for, in seconds.

    They are for slow machines: a wait ends when its state is reached or can no longer be reached.
    """

    component_ready: float = 180
    application_synced: float = 90
    application_healthy: float = 240
    rollout_settled: float = 300
    """A whole update: the demo's two pauses of 30 s, its analysis, and pods that start on a busy machine."""
    canary_started: float = 90
    analysis_finished: float = 180
    pods_ready: float = 90
    pods_gone: float = 60
    endpoint_answers: float = 30
    metric_scraped: float = 60
    freight_found: float = 60
    promotion_over: float = 120
    """Its steps, the sync included; not how the canary fares afterwards."""
    stage_settled: float = 300
    """Healthy and verified with what was promoted to it."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names that can be overridden."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def parse(cls, overrides: Iterable[str]) -> Budgets:
        """The table with overrides such as "rollout_settled=90". Raises HarnessError for one that says nothing."""
        return replace(cls(), **dict(cls._override(text) for text in overrides))

    @classmethod
    def _override(cls, text: str) -> tuple[str, float]:
        name, _, value = (part.strip() for part in text.partition("="))
        if name not in cls.names():
            likely = get_close_matches(name, cls.names(), n=1) or cls.names()
            raise HarnessError(
                f"there is no budget {name!r}", where=f"--budget {text}", remedy=f"use {' or '.join(likely)}"
            )
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise HarnessError(
                f"{value!r} is no time in seconds", where=f"--budget {text}", remedy=f"write {name}=90, for example"
            )
        return name, seconds
