"""AdmissionReview objects (`admission.k8s.io/v1`): what the API server asks, and the answer."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class User:
    """Who sends the request, as the API server authenticated them."""

    name: str
    info: Manifest

    @staticmethod
    def of(info: Manifest) -> User:
        """Read a `userInfo`."""
        return User(info.get("username", ""), info)


@dataclass(frozen=True)
class Review:
    """A request to write one object.

    `object` is the object as it would be written, empty for a deletion; `old` the one that is there,
    empty for a creation. Both belong to the review: `default` may change `object`.
    """

    uid: str
    operation: Literal["CREATE", "UPDATE", "DELETE"]
    resource: str
    subresource: str
    namespace: str
    user: User
    object: Manifest
    old: Manifest
    dry_run: bool

    @staticmethod
    def of(request: Manifest) -> Review:
        """Read the `request` of an AdmissionReview."""
        return Review(
            uid=request["uid"],
            operation=request["operation"],
            resource=request["resource"]["resource"],
            subresource=request.get("subResource", ""),
            namespace=request.get("namespace", ""),
            user=User.of(request["userInfo"]),
            object=request.get("object") or {},
            old=request.get("oldObject") or {},
            dry_run=bool(request.get("dryRun")),
        )

    @property
    def name(self) -> str:
        """The name of the object at hand."""
        metadata = (self.object or self.old)["metadata"]
        return str(metadata.get("name", ""))


class Rules(Protocol):
    """What holds for the objects of one kind."""

    def default(self, review: Review) -> None:
        """Fill in what the object leaves out. Raises Refused."""

    def validate(self, review: Review) -> None:
        """Raises Refused where the request must not be carried out."""


def mutated(rules: Rules, review: Review) -> Manifest:
    """The `response` with what the rules fill in, as a JSON patch. Raises Refused."""
    before = copy.deepcopy(review.object)
    rules.default(review)
    patch = list(_patch("", before, review.object))
    response: Manifest = {"uid": review.uid, "allowed": True}
    if patch:
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        response |= {"patchType": "JSONPatch", "patch": encoded}
    return response


def validated(rules: Rules, review: Review) -> Manifest:
    """The `response` of an accepted request. Raises Refused."""
    rules.validate(review)
    return {"uid": review.uid, "allowed": True}


def _patch(path: str, before: Any, after: Any) -> Iterator[Manifest]:
    """JSON patch operations (RFC 6902) from one value to the other; lists are replaced whole."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        if before != after:
            yield {"op": "replace", "path": path, "value": after}
        return
    for key in before.keys() - after.keys():
        yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
    for key, value in after.items():
        place = f"{path}/{_escaped(key)}"
        if key in before:
            yield from _patch(place, before[key], value)
        else:
            yield {"op": "add", "path": place, "value": value}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
