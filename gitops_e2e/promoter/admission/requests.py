"""Requests in annotations get the name of who asks (behaviour file, 7, "Actor stamping")."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission.requesters import Requesters, actor
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.requests import Request, parse_request


def sign(review: Review, requesters: Requesters, annotation: str, subject_key: Literal["id", "action"]) -> None:
    """Rewrite a new or changed request in this annotation as JSON that says who asks."""
    asked = _request(review.object, annotation, subject_key)
    if asked is None or asked == _request(review.old, annotation, subject_key):
        return
    if requesters.is_control_plane(review.user):
        signed = replace(asked, control_plane=True)
    else:
        signed = Request(asked.subject, actor(review.user))
    review.object["metadata"]["annotations"][annotation] = signed.annotation(subject_key)


def _request(manifest: Manifest, annotation: str, subject_key: str) -> Request | None:
    text = manifest.get("metadata", {}).get("annotations", {}).get(annotation, "")
    return parse_request(text, subject_key)
