"""Edits of YAML, JSON and kustomizations: what changes, and that nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.promoter.expressions import Evaluator, ExpressionFailed

VALUES = """\
# the head
image:
    tag: "1.0"   # goes with the value
    "odd key":   x
list:
- name: a
- {name: b}
---
image: {tag: other}
"""


@pytest.mark.parametrize(
    ("key", "value", "line", "written"),
    [
        ("image.tag", "v2", "    tag: v2", "v2"),
        ("image.tag", "1.10", '    tag: "1.10"', '"1.10"'),
        ("image.tag", "true", '    tag: "true"', '"true"'),
        ("image.tag", "[1]", '    tag: "[1]"', '"[1]"'),
        ("image.tag", 1.1, "    tag: 1.1", "1.1"),
        ("image.tag", 5, "    tag: 5", "5"),
        ("image.tag", 20240101, "    tag: 2.0240101e+07", "2.0240101e+07"),
        ("image.tag", None, "    tag: <nil>", "<nil>"),
        ("image.tag", False, "    tag: false", "false"),
        ("list.0.name", "z", "- name: z", "z"),
        ("image.odd key", "y", '    "odd key":   y', "y"),
    ],
)
def test_yaml_value_is_set_and_all_other_lines_stay(
    evaluator: Evaluator, key: str, value: Any, line: str, written: str
) -> None:
    edited = evaluator.edit_yaml(VALUES, [{"key": key, "value": value}])
    before, after = VALUES.splitlines(), edited.text.splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert (changed, edited.written) == ([line], (written,))
    assert edited.text.endswith("\n")


def test_yaml_gets_its_final_newline(evaluator: Evaluator) -> None:
    assert evaluator.edit_yaml("a: 1", [{"key": "a", "value": 2}]).text == "a: 2\n"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("image.nope", "error finding key image.nope: key path not found"),
        ("list.7.name", "error finding key list.7.name: key path not found"),
        ("image", "error finding key image: key path does not address a scalar node"),
    ],
)
def test_yaml_key_that_is_not_there_is_refused(evaluator: Evaluator, key: str, message: str) -> None:
    with pytest.raises(ExpressionFailed) as failure:
        evaluator.edit_yaml(VALUES, [{"key": key, "value": 1}])
    assert failure.value.what == message


def test_json_is_set_and_its_form_kept(evaluator: Evaluator) -> None:
    text = '{\n   "a": {"b":1},\n "c" : [1]}\n'
    updates: list[dict[str, Any]] = [
        {"key": "a.b", "value": "x"},
        {"key": "c.0", "value": 2},
        {"key": "n.m", "value": True},
    ]
    edited = evaluator.edit_json(text, updates)
    assert edited.text == '{\n   "a": {"b":"x"},\n "c" : [2],"n":{"m":true}}'
    assert edited.written == ('"x"', "2", "true")


def test_json_takes_scalars_only(evaluator: Evaluator) -> None:
    with pytest.raises(ExpressionFailed, match=r'^value for key "a" is not a scalar type$'):
        evaluator.edit_json("{}", [{"key": "a", "value": [1]}])


KUSTOMIZATION = """\
# why
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - a.yaml  # indented
images:
- name: r/b
  newTag: "1"
  newName: mirror/b
"""


def test_images_are_set_by_name_and_sorted(evaluator: Evaluator) -> None:
    text, images = evaluator.set_images(KUSTOMIZATION, [{"name": "r/a", "newTag": "1.10"}])
    assert text == (
        "# why\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "resources:\n- a.yaml # indented\n"
        'images:\n- name: r/a\n  newTag: "1.10"\n- name: r/b\n  newName: mirror/b\n  newTag: "1"\n'
    )
    assert [image["name"] for image in images] == ["r/a", "r/b"]
    assert evaluator.set_images(text, [{"name": "r/a", "newTag": "1.10"}])[0] == text


def test_star_keeps_what_the_entry_has(evaluator: Evaluator) -> None:
    _, images = evaluator.set_images(
        KUSTOMIZATION,
        [{"name": "r/b", "newName": "*", "newTag": "2"}, {"name": "r/new", "newName": "*", "digest": "d"}],
    )
    assert images == [{"name": "r/b", "newName": "mirror/b", "newTag": "2"}, {"name": "r/new", "digest": "d"}]


def test_entry_is_replaced_whole(evaluator: Evaluator) -> None:
    _, images = evaluator.set_images(KUSTOMIZATION, [{"name": "r/b", "digest": "sha256:1"}])
    assert images == [{"name": "r/b", "digest": "sha256:1"}]


@pytest.mark.parametrize("text", ["", "kind: Kustomization\n"])
def test_kustomization_without_images_gets_them(evaluator: Evaluator, text: str) -> None:
    assert evaluator.set_images(text, [{"name": "a", "newTag": "b"}])[0] == f"{text}images:\n- name: a\n  newTag: b\n"
