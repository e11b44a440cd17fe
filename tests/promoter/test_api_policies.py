"""Promotion policies, glob patterns and Go's way of writing values."""

from __future__ import annotations

import re

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.globs import glob_pattern
from gitops_e2e.promoter.api.gotext import quote, to_json
from gitops_e2e.promoter.api.policies import BadPattern, auto_promotion_enabled


def a_stage(name: str = "dev", **labels: str) -> Manifest:
    return {"metadata": {"name": name, "labels": labels}}


def a_config(*policies: Manifest) -> Manifest:
    return {"spec": {"promotionPolicies": list(policies)}}


def enabled(**selector: object) -> Manifest:
    return {"stageSelector": selector, "autoPromotionEnabled": True}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({"name": "dev"}, True),
        ({"name": "de"}, False),
        ({}, True),
        ({"name": "glob:d*"}, True),
        ({"name": "glob:d"}, False),
        ({"name": "regex:e"}, True),
        ({"name": "regexp:^e"}, False),
        ({"name": "regex:(?i)DEV"}, True),
        ({"matchLabels": {"auto": "yes"}}, True),
        ({"matchLabels": {"auto": "no"}}, False),
        ({"name": "dev", "matchLabels": {"auto": "no"}}, False),
        ({"matchExpressions": [{"key": "auto", "operator": "In", "values": ["yes"]}]}, True),
        ({"matchExpressions": [{"key": "auto", "operator": "NotIn", "values": ["yes"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["yes"]}]}, True),
        ({"matchExpressions": [{"key": "auto", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "auto", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector: Manifest, *, matches: bool) -> None:
    assert auto_promotion_enabled(a_config(enabled(**selector)), a_stage(auto="yes")) is matches


def test_the_first_policy_that_speaks_of_the_stage_decides() -> None:
    off_for_dev = {"stage": "dev", "autoPromotionEnabled": False}
    assert not auto_promotion_enabled(a_config(off_for_dev, enabled()), a_stage())
    assert auto_promotion_enabled(a_config(off_for_dev, enabled()), a_stage("staging"))
    assert not auto_promotion_enabled(a_config({"stage": "dev"}), a_stage())
    assert not auto_promotion_enabled(None, a_stage())


@pytest.mark.parametrize("name", ["regex:(", "glob:{a"])
def test_a_pattern_that_cannot_be_read(name: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(name)):
        auto_promotion_enabled(a_config(enabled(name=name)), a_stage())


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("auto-*", "auto-a", True),
        ("auto-*", "auto-", True),
        ("auto-*", "my-auto-a", False),
        ("*", "a/b", False),
        ("**", "a/b", True),
        ("de?", "dev", True),
        ("[a-d]ev", "dev", True),
        ("[!a-d]ev", "dev", False),
        ("{dev,staging}-eu", "staging-eu", True),
        ("{dev,staging}-eu", "prod-eu", False),
        ("a.c", "abc", False),
        ("a,b", "a,b", True),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
    ],
)
def test_globs(glob: str, name: str, *, matches: bool) -> None:
    assert bool(re.fullmatch(glob_pattern(glob), name)) is matches


def test_texts_are_quoted_as_go_does() -> None:
    assert quote('a "b"\n\\ é \x00 \u200b \U0001f600') == '"a \\"b\\"\\n\\\\ é \\x00 \\u200b \U0001f600"'


def test_json_is_written_as_go_does() -> None:
    shape = {"name": None, "config": None, "inner": {"b": None, "a": None}}
    value = {"inner": [{"a": 1, "b": 2}], "config": {"z": "<&>", "a": None}, "name": "", "unknown": 1}
    assert to_json(value, shape) == '{"config":{"z":"\\u003c\\u0026\\u003e","a":null},"inner":[{"b":2,"a":1}]}'
    assert to_json(None) == "null"
