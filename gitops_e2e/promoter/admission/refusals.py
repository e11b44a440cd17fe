"""Refusals as metav1.Status objects, with the reason, the details and the wording of Kargo's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import Shape, quote, to_json
from gitops_e2e.promoter.api.kinds import GROUP


class Refused(HarnessError):
    """The request is denied; `status` is what the API server passes on."""

    def __init__(self, status: Manifest) -> None:
        super().__init__(status["message"])
        self.status = status


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field. `body` is the text without the field's path."""

    cause: Literal["FieldValueInvalid", "FieldValueForbidden"]
    path: str
    body: str

    def __str__(self) -> str:
        return f"{self.path}: {self.body}"


def invalid(path: str, value: Any, detail: str = "", *, shape: Shape | None = None) -> FieldError:
    """A value that must not be; `shape` orders the fields of an object value."""
    shown = quote(value) if isinstance(value, str) else to_json(value, shape)
    return FieldError("FieldValueInvalid", path, _joined(f"Invalid value: {shown}", detail))


def forbidden(path: str, detail: str) -> FieldError:
    """A field that must not be there."""
    return FieldError("FieldValueForbidden", path, _joined("Forbidden", detail))


def denied(message: str) -> Refused:
    """A refusal in words alone."""
    return Refused(_status(403, "Forbidden", message))


def invalid_object(kind: str, name: str, errors: Sequence[FieldError]) -> Refused:
    """An object with wrong fields."""
    texts = list(dict.fromkeys(map(str, errors)))
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": error.cause, "message": error.body, "field": error.path} for error in errors]
    details = {"name": name, "group": GROUP, "kind": kind, "causes": causes}
    return Refused(_status(422, "Invalid", f"{kind}.{GROUP} {quote(name)} is invalid: {summary}", details))


def not_found(kind: str, name: str, *, group: str = GROUP) -> Refused:
    """Something that is referred to is not there."""
    qualified = f"{kind}.{group}" if group else kind
    details = {"name": name, "group": group, "kind": kind}
    return Refused(_status(404, "NotFound", f"{qualified} {quote(name)} not found", details))


def conflict(plural: str, name: str, message: str) -> Refused:
    """The object clashes with what is there."""
    text = f"Operation cannot be fulfilled on {plural}.{GROUP} {quote(name)}: {message}"
    return Refused(_status(409, "Conflict", text, {"name": name, "group": GROUP, "kind": plural}))


def forbidden_object(plural: str, name: str, message: str) -> Refused:
    """The object must not be touched like that, or not by this user."""
    text = f"{plural}.{GROUP} {quote(name)} is forbidden: {message}"
    return Refused(_status(403, "Forbidden", text, {"name": name, "group": GROUP, "kind": plural}))


def internal_error(message: str) -> Refused:
    """The request could not be judged, or Kargo wraps the refusal so."""
    details = {"causes": [{"message": message}]}
    return Refused(_status(500, "InternalError", f"Internal error occurred: {message}", details))


def bad_request(message: str) -> Refused:
    """A field cannot be read; Kargo gives no reason then."""
    return Refused(_status(400, "", message))


def _status(code: int, reason: str, message: str, details: Manifest | None = None) -> Manifest:
    status: Manifest = {"status": "Failure", "code": code, "reason": reason, "message": message, "metadata": {}}
    return status | ({"details": details} if details else {})


def _joined(body: str, detail: str) -> str:
    return f"{body}: {detail}" if detail else body
