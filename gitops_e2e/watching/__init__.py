"""Waiting for a cluster's states over one shared watch, and the timeline of what happened."""

from gitops_e2e.watching.budgets import Budgets
from gitops_e2e.watching.cache import WatchBroken, WatchCache
from gitops_e2e.watching.expectation import (
    Expectation,
    Impossible,
    Met,
    Pending,
    Verdict,
    all_of,
    any_of,
    expectation,
    never,
    never_was,
    passed_through,
    then,
)
from gitops_e2e.watching.snapshot import Blind, Change, Place, Snapshot
from gitops_e2e.watching.timeline import Entry, Fact, Narrator, Timeline
from gitops_e2e.watching.waiting import ExpectationFailed, Subject, expect
from gitops_e2e.watching.waits import Wait

__all__ = [
    "Blind",
    "Budgets",
    "Change",
    "Entry",
    "Expectation",
    "ExpectationFailed",
    "Fact",
    "Impossible",
    "Met",
    "Narrator",
    "Pending",
    "Place",
    "Snapshot",
    "Subject",
    "Timeline",
    "Verdict",
    "Wait",
    "WatchBroken",
    "WatchCache",
    "all_of",
    "any_of",
    "expect",
    "expectation",
    "never",
    "never_was",
    "passed_through",
    "then",
]
