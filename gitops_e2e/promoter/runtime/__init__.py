"""What every controller of the engine stands on: stores, queues, conditions, status patches, events."""

from gitops_e2e.promoter.runtime.clients import StoringKube
from gitops_e2e.promoter.runtime.conditions import Condition, get_condition, remove_condition, set_condition
from gitops_e2e.promoter.runtime.controllers import (
    Controller,
    Manager,
    Reconciler,
    Trigger,
    annotation_changed,
    any_of,
    generation_changed,
)
from gitops_e2e.promoter.runtime.events import (
    ApplicationName,
    EventRecorder,
    freight_annotations,
    promotion_annotations,
)
from gitops_e2e.promoter.runtime.statuses import merge_patch, patch_status
from gitops_e2e.promoter.runtime.stores import Change, Key, Store, Stores
from gitops_e2e.promoter.runtime.times import format_duration, now, parse_duration, parse_time, rfc3339

__all__ = [
    "ApplicationName",
    "Change",
    "Condition",
    "Controller",
    "EventRecorder",
    "Key",
    "Manager",
    "Reconciler",
    "Store",
    "Stores",
    "StoringKube",
    "Trigger",
    "annotation_changed",
    "any_of",
    "format_duration",
    "freight_annotations",
    "generation_changed",
    "get_condition",
    "merge_patch",
    "now",
    "parse_duration",
    "parse_time",
    "patch_status",
    "promotion_annotations",
    "remove_condition",
    "rfc3339",
    "set_condition",
]
