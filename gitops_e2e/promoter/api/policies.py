"""Promotion policies: to which Stages Freight is promoted without being asked (behaviour file, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import re2

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.globs import glob_pattern

PATTERN_KINDS = frozenset({"glob", "regex", "regexp"})
PREFIXED = re.compile(r"(?P<kind>[^:]*):(?P<pattern>.*)", re.DOTALL)
"""The name in a selector when it is a pattern."""


class BadPattern(HarnessError):
    """A selector's pattern cannot be read."""


def auto_promotion_enabled(config: Manifest | None, stage: Manifest) -> bool:
    """What the first policy of a ProjectConfig that speaks of the Stage says; no, where none does.

    Raises BadPattern.
    """
    policies = (config or {}).get("spec", {}).get("promotionPolicies", [])
    return next((bool(policy.get("autoPromotionEnabled")) for policy in policies if _speaks_of(policy, stage)), False)


def _speaks_of(policy: Manifest, stage: Manifest) -> bool:
    name = stage["metadata"]["name"]
    if "stage" in policy:
        return bool(policy["stage"] == name)
    selector = policy.get("stageSelector", {})
    labels = stage["metadata"].get("labels", {})
    return _name_matches(selector.get("name", ""), name) and all(_label_matches(selector, labels))


def _name_matches(wanted: str, name: str) -> bool:
    prefixed = PREFIXED.fullmatch(wanted)
    if prefixed is None:
        return wanted in {"", name}
    kind, pattern = prefixed["kind"], prefixed["pattern"]
    try:
        if kind == "glob":
            return bool(re.fullmatch(glob_pattern(pattern), name))
        return bool(re2.search(pattern, name))
    except (re.error, re2.error) as error:
        raise BadPattern(f"pattern {wanted!r} cannot be read: {error}") from error


def _label_matches(selector: Manifest, labels: Mapping[str, str]) -> Iterator[bool]:
    for key, value in selector.get("matchLabels", {}).items():
        yield labels.get(key) == value
    for expression in selector.get("matchExpressions", []):
        yield _expression_matches(expression, labels)


def _expression_matches(expression: Manifest, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case operator:
            raise BadPattern(f"{operator!r} is no operator of label selectors")
