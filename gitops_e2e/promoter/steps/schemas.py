"""Words for the JSON schemas of step configurations; every property that a schema does not name is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
EMPTY: Schema = {"enum": ["", None]}


def strict(properties: Mapping[str, Schema], *required: str) -> dict[str, Any]:
    """An object with these properties and no others."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def some(schema: Schema) -> dict[str, Any]:
    """A text that is not empty."""
    return {**schema, "minLength": 1}


def several(items: Schema) -> dict[str, Any]:
    """A list of at least one item."""
    return {"type": "array", "minItems": 1, "items": items}


AUTHOR = strict(
    {"email": {**TEXT, "format": "email"}, "name": TEXT, "signingKey": TEXT},
    "email",
    "name",
)
