"""Values in messages, written as Go writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}
_HTML = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})

Shape = Mapping[str, "Shape | None"]
"""The fields of a Go struct in their order, each with the shape of its own value; None for free-form values."""


def quote(text: str) -> str:
    """The text as `%q` prints it."""
    return f'"{"".join(map(_escaped, text))}"'


def to_json(value: Any, shape: Shape | None = None) -> str:
    """The value as `json.Marshal` writes it: fields in the order of their struct, empty ones left out."""
    ordered = value if shape is None else _in_shape(value, shape)
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).translate(_HTML)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_shape(value: Any, shape: Shape | None) -> Any:
    if shape is None:
        return value
    if isinstance(value, list):
        return [_in_shape(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    return {field: _in_shape(value[field], inner) for field, inner in shape.items() if value.get(field)}
