"""What an API server refused, in its own words."""

from __future__ import annotations

import json

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube.objects import Manifest, Ref


class KubeError(HarnessError):
    """The API server answered with a failure.

    `status` is the metav1.Status it sent: `reason` and `message` are the server's words,
    `details.causes` says which fields were refused.
    """

    def __init__(self, doing: str, status: Manifest) -> None:
        self.status = status
        self.code = int(status.get("code") or 0)
        self.reason = str(status.get("reason") or "")
        self.message = str(status.get("message") or "")
        super().__init__(f"{doing}: {self.message or self.reason or self.code}")


class NotFound(KubeError):
    """There is no such object, or no such kind (404)."""


class AlreadyExists(KubeError):
    """An object of that name is there already (409)."""


class Conflict(KubeError):
    """The object changed in between, or another field manager owns the field (409)."""


class Expired(KubeError):
    """The resource version is too old to watch from: list again (410)."""


class NotOurs(KubeError):
    """The object is there, and was made by somebody else: it is not touched."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(f"cannot apply {ref}", {"reason": "NotOurs", "message": "somebody else made it"})
        self.remedy = "remove it, if nobody needs it, or take another cluster"


class Unreachable(KubeError):
    """No answer from the API server: connection refused, reset or out of time."""

    def __init__(self, doing: str, cause: Exception) -> None:
        root = getattr(cause, "reason", None) or cause  # urllib3 wraps what went wrong in "max retries exceeded"
        super().__init__(doing, {"reason": "Unreachable", "message": f"no answer from the API server ({root})"})


def from_response(doing: str, code: int, body: bytes) -> KubeError:
    """The typed error for an answer that is no success."""
    return from_status(doing, _status(code, body))


def from_status(doing: str, status: Manifest) -> KubeError:
    """The typed error for a metav1.Status, as it comes in an answer or in a watch's ERROR event."""
    code = status.get("code")
    if code == 404:
        return NotFound(doing, status)
    if code == 409:
        return (AlreadyExists if status.get("reason") == "AlreadyExists" else Conflict)(doing, status)
    if code == 410:
        return Expired(doing, status)
    return KubeError(doing, status)


def _status(code: int, body: bytes) -> Manifest:
    try:
        status = json.loads(body)
    except ValueError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return {**status, "code": status.get("code") or code}
    if code == 404:  # the whole API group is unknown, as long as its CRD or API service is not there
        return {"code": code, "message": "the API server has no such resource"}
    return {"code": code, "message": body.decode(errors="replace").strip()[:500]}
