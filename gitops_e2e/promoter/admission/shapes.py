"""The fields of Kargo's types in the order in which its messages show them."""

from __future__ import annotations

from gitops_e2e.promoter.api.gotext import Shape


def _fields(*names: str) -> dict[str, Shape | None]:
    return dict.fromkeys(names)


ORIGIN: Shape = _fields("kind", "name")
COMMIT: Shape = _fields("repoURL", "id", "branch", "tag", "message", "author", "committer")
IMAGE: Shape = _fields("repoURL", "tag", "digest", "annotations")
CHART: Shape = _fields("repoURL", "name", "version")
FREIGHT: Shape = {"alias": None, "origin": ORIGIN, "commits": COMMIT, "images": IMAGE, "charts": CHART}

_SOURCES = _fields("direct", "stages", "requiredSoakTime", "availabilityStrategy", "autoPromotionOptions")
FREIGHT_REQUEST: Shape = {"origin": ORIGIN, "sources": _SOURCES}

_VARIABLE = _fields("name", "value")
_STEP: Shape = {
    "uses": None,
    "task": _fields("name", "kind"),
    "as": None,
    "if": None,
    "continueOnError": None,
    "retry": _fields("timeout", "errorThreshold"),
    "vars": _VARIABLE,
    "config": None,
}
PROMOTION_SPEC: Shape = {"stage": None, "freight": None, "vars": _VARIABLE, "steps": _STEP}

_TAGS = ("allowTags", "ignoreTags")
_GIT = _fields(
    "repoURL",
    "commitSelectionStrategy",
    "branch",
    "strictSemvers",
    "semverConstraint",
    *_TAGS,
    "expressionFilter",
    "insecureSkipTLSVerify",
    "includePaths",
    "excludePaths",
    "discoveryLimit",
)
_IMAGE_SUBSCRIPTION = _fields(
    "repoURL",
    "imageSelectionStrategy",
    "strictSemvers",
    "constraint",
    "semverConstraint",
    *_TAGS,
    "platform",
    "insecureSkipTLSVerify",
    "discoveryLimit",
)
_CHART_SUBSCRIPTION = _fields("repoURL", "name", "semverConstraint", "discoveryLimit")
SUBSCRIPTION: Shape = {"git": _GIT, "image": _IMAGE_SUBSCRIPTION, "chart": _CHART_SUBSCRIPTION}
