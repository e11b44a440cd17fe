"""Requests that people put into annotations: verify again, abort (behaviour file, 1.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import ANNOTATION_ABORT, ANNOTATION_REVERIFY


@dataclass(frozen=True)
class Request:
    """What is asked, and by whom.

    `subject` is the id of a verification, or `terminate` for a Promotion; `actor` is empty where the
    engine itself asks (`control_plane`) or nobody is known.
    """

    subject: str
    actor: str = ""
    control_plane: bool = False

    def annotation(self, subject_key: str) -> str:
        """The request as JSON, its subject under `id` or `action`."""
        value: Manifest = {subject_key: self.subject}
        if self.actor:
            value["actor"] = self.actor
        if self.control_plane:
            value["controlPlane"] = True
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def reverify_request(stage: Manifest) -> Request | None:
    """The verification that is to be repeated."""
    return parse_request(_annotation(stage, ANNOTATION_REVERIFY), "id")


def abort_verification_request(stage: Manifest) -> Request | None:
    """The verification of a Stage that is to end."""
    return parse_request(_annotation(stage, ANNOTATION_ABORT), "id")


def abort_promotion_request(promotion: Manifest) -> Request | None:
    """What is to be done to a running Promotion; `terminate` is the one action there is."""
    return parse_request(_annotation(promotion, ANNOTATION_ABORT), "action")


def parse_request(text: str, subject_key: str) -> Request | None:
    """Read an annotation: a JSON object, or else the subject itself.

    JSON that is no such object, a bare number for one, is no request.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return Request(text) if text else None
    if not isinstance(value, dict):
        return None
    fields = (value.get(subject_key, ""), value.get("actor", ""), value.get("controlPlane", False))
    if not _fit(*fields) or not fields[0]:
        return None
    return Request(*fields)


def _fit(subject: Any, actor: Any, control_plane: Any) -> bool:
    return isinstance(subject, str) and isinstance(actor, str) and isinstance(control_plane, bool)


def _annotation(manifest: Manifest, key: str) -> str:
    return str(manifest["metadata"].get("annotations", {}).get(key, ""))
