"""The rules of Stages that no recording shows: health of Applications, merging of templates, listing of Freight."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import FREIGHTS, STAGES, WAREHOUSES
from gitops_e2e.promoter.api.stages import freight_requests
from gitops_e2e.promoter.runtime import Change, Key, Stores
from gitops_e2e.promoter.stages.analysis_templates import TemplatesDisagree, merged_spec
from gitops_e2e.promoter.stages.application_health import assess_application
from gitops_e2e.promoter.stages.auto_promotion import TooManyCandidates, candidates, new_promotion
from gitops_e2e.promoter.stages.available_freight import available_freight
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.triggers import triggers

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
APP = 'Argo CD Application "a" in namespace "argocd"'
NOT_SYNCED = (
    'Not all sources of Application "a" in namespace "argocd" are synced to the desired revisions. '
    'Issues: Source 0 with RepoURL https://git of Application "a" in namespace "argocd" '
    'does not match the desired revision "r".'
)
DONE = {"phase": "Succeeded", "finishedAt": "2026-01-01T11:00:00Z"}


def application(health: str | None = "Healthy", *, revision: str = "r", sources: int = 1, **fields: Any) -> Manifest:
    status = {"sync": {"status": "Synced", "revision": revision}, "operationState": DONE} | fields.pop("status", {})
    if health is not None:
        status["health"] = {"status": health}
    source = {"repoURL": "https://git"}
    spec = {"source": source} if sources == 1 else {"sources": [source] * sources}
    return {"spec": spec, "status": status, **fields}


@pytest.mark.parametrize(
    ("found", "desired", "status", "issue"),
    [
        (None, ["r"], "Unknown", f"unable to find {APP}"),
        (
            application(status={"operationState": {"phase": "Failed"}}),
            [],
            "Unknown",
            f'last operation of {APP} has status "Failed"; Application health status not trusted',
        ),
        (
            application(status={"operationState": {**DONE, "finishedAt": "2026-01-01T11:59:55Z"}}),
            [],
            "Unknown",
            f"last operation of {APP} completed less than 10s ago; Application health status not trusted",
        ),
        (
            application(status={"conditions": [{"type": "ComparisonError", "message": "no"}]}),
            [],
            "Unhealthy",
            f'{APP} has "ComparisonError" condition: no',
        ),
        (application("Progressing"), ["x"], "Progressing", f"{APP} is progressing"),
        (application(None), ["x"], "Progressing", f"{APP} is progressing"),
        (application("Suspended"), ["x"], "Progressing", f"{APP} is suspended"),
        (application("Degraded"), ["x"], "Unhealthy", f'{APP} has health state "Degraded"'),
        (application("Missing"), [], "Unhealthy", f'{APP} has health state "Missing"'),
        (application(revision="other"), [""], "Healthy", ""),
        (application(revision="other"), [], "Healthy", ""),
        (application(operation={}), ["r"], "Healthy", ""),
        (application(operation={"sync": {}}), ["r"], "Unknown", f"{APP} is being synced"),
        (application(status={"operationState": {}}), ["r"], "Unknown", f"{APP} is being synced"),
        (application(sources=2), ["r"], "Unknown", f"{APP} has 2 sources but 1 desired revisions"),
        (application(), ["r"], "Healthy", ""),
        (
            application(revision="other"),
            ["r"],
            "Unhealthy",
            NOT_SYNCED,
        ),
        (application(sources=2, status={"sync": {"revisions": ["x", "r"]}}), ["", "r"], "Healthy", ""),
    ],
)
def test_health_of_an_application(found: Manifest | None, desired: list[str], status: str, issue: str) -> None:
    health = assess_application(Key("argocd", "a"), found, desired, NOW)
    assert (health.status, health.issue) == (status, issue)
    assert (health.settles_in == 5.0) == ("less than 10s" in issue)


# --- templates


def template(*metrics: str, **args: str | None) -> Manifest:
    arguments = [{"name": name} | ({"value": value} if value is not None else {}) for name, value in args.items()]
    return {"spec": {"metrics": [{"name": name} for name in metrics], "args": arguments}}


def test_templates_are_merged_in_their_order() -> None:
    web = {"name": "w", "provider": {"web": {"url": "u", "authentication": {"oauth2": {"tokenUrl": "t"}}}}}
    first = {"spec": {"metrics": [web], "dryRun": [{"metricName": "w"}], "args": [{"name": "a"}]}}
    assert merged_spec([first, template("m", a="1", b=None)], {"b": "2", "unknown": "3"}) == {
        "metrics": [
            {
                "name": "w",
                "provider": {"web": {"url": "u", "authentication": {"oauth2": {"tokenUrl": "t"}, "sigv4": {}}}},
            },
            {"name": "m"},
        ],
        "dryRun": [{"metricName": "w"}],
        "args": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
    }


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ([template("m"), template("m")], 'duplicate metric name: "m"'),
        ([template("m", a="1"), template("n", a="2")], 'conflicting values for argument "a": "1" and "2"'),
        ([template("m", a=None)], 'unresolved argument "a": neither Value nor ValueFrom is set'),
    ],
)
def test_templates_that_disagree(templates: list[Manifest], message: str) -> None:
    with pytest.raises(TemplatesDisagree) as refused:
        merged_spec(templates, {})
    assert refused.value.what == message


# --- Freight


def stage(**sources: Any) -> Manifest:
    return {
        "metadata": {"name": "prod", "namespace": "ns", "generation": 1},
        "spec": {
            "vars": [{"name": "a", "value": "stage"}],
            "requestedFreight": [{"origin": {"kind": "Warehouse", "name": "w"}, "sources": sources}],
            "promotionTemplate": {
                "spec": {"vars": [{"name": "a", "value": "template"}], "steps": [{"task": {"name": "t"}}]}
            },
        },
    }


def freight(name: str, created: str = "2026-01-01T00:00:00Z", **status: Any) -> Manifest:
    return {
        "metadata": {"name": name, "namespace": "ns", "resourceVersion": "1", "creationTimestamp": created},
        "origin": {"kind": "Warehouse", "name": "w"},
        "status": status,
    }


def in_cluster(*freights: Manifest) -> Stores:
    stores = Stores()
    warehouse = {"metadata": {"name": "w", "namespace": "ns", "resourceVersion": "1"}}
    stores.of(WAREHOUSES).listed({"metadata": {"resourceVersion": "2"}, "items": [warehouse]})
    stores.of(FREIGHTS).listed({"metadata": {"resourceVersion": "2"}, "items": list(freights)})
    return stores


VERIFIED = {"verifiedAt": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("sources", "status", "found"),
    [
        ({"direct": True}, {}, True),
        ({"stages": ["a"]}, {}, False),
        ({"stages": ["a"]}, {"verifiedIn": {"a": VERIFIED}}, True),
        ({"stages": ["a"]}, {"approvedFor": {"prod": {}}}, True),
        ({"stages": ["a", "b"]}, {"verifiedIn": {"b": VERIFIED}}, True),
        ({"stages": ["a", "b"], "availabilityStrategy": "All"}, {"verifiedIn": {"b": VERIFIED}}, False),
        ({"stages": ["a", "b"], "availabilityStrategy": "All"}, {"verifiedIn": {"a": VERIFIED, "b": VERIFIED}}, True),
        (
            {"stages": ["a"], "requiredSoakTime": "1h"},
            {"verifiedIn": {"a": VERIFIED}, "currentlyIn": {"a": {"since": "2026-01-01T11:30:00Z"}}},
            False,
        ),
        (
            {"stages": ["a"], "requiredSoakTime": "1h"},
            {"verifiedIn": {"a": VERIFIED}, "currentlyIn": {"a": {"since": "2026-01-01T11:00:00Z"}}},
            True,
        ),
        ({"stages": ["a"], "requiredSoakTime": "1h"}, {"approvedFor": {"prod": {}}}, True),
        # Not the listed Stage is soaked, but some Stage is: enough for the list, not for the gate.
        (
            {"stages": ["a"], "requiredSoakTime": "1h"},
            {"verifiedIn": {"a": VERIFIED, "z": VERIFIED | {"longestSoak": "2h"}}},
            True,
        ),
        (
            {"stages": ["a"], "requiredSoakTime": "1h", "availabilityStrategy": "All"},
            {"verifiedIn": {"a": VERIFIED | {"longestSoak": "2h"}, "z": VERIFIED | {"longestSoak": "2h"}}},
            False,
        ),
    ],
)
def test_which_freight_is_listed(sources: Manifest, status: Manifest, found: bool) -> None:
    stores = in_cluster(freight("f", **status))
    request = freight_requests(stage(**sources))[0]
    assert bool(available_freight(request, "prod", "ns", stores, NOW)) is found


def promotion(name: str, freight_name: str, phase: str) -> Manifest:
    return {
        "metadata": {"name": name},
        "spec": {"stage": "prod", "freight": freight_name},
        "status": {"phase": phase},
    }


def due(promotions: list[Manifest], *freights: Manifest, **sources: Any) -> list[str]:
    draft = Draft.of(stage(**sources))
    return [one["metadata"]["name"] for one in candidates(draft, promotions, in_cluster(*freights), NOW)]


def test_the_newest_freight_is_promoted_once() -> None:
    old, new = freight("old"), freight("new", "2026-01-01T01:00:00Z")
    assert due([], old, new, direct=True) == ["new"]
    assert due([promotion("p", "new", "Errored")], old, new, direct=True) == []


def test_freight_of_the_same_second_is_not_overlooked() -> None:
    first, second = freight("a"), freight("b")
    assert due([promotion("p", "a", "Succeeded")], first, second, direct=True) == ["b"]
    assert due([promotion("p", "b", "Succeeded")], first, second, direct=True) == ["a"]


UPSTREAM: Manifest = {"stages": ["a"], "autoPromotionOptions": {"selectionPolicy": "MatchUpstream"}}
THERE: Manifest = {"verifiedIn": {"a": VERIFIED}, "currentlyIn": {"a": {"since": "2026-01-01T00:00:00Z"}}}


def test_the_freight_of_the_upstream_stage_is_promoted_as_often_as_it_comes() -> None:
    gone = freight("gone", "2026-01-01T01:00:00Z", verifiedIn={"a": VERIFIED})
    there = freight("there", **THERE)
    assert due([], gone, there, **UPSTREAM) == ["there"]
    assert due([promotion("p", "there", "Succeeded")], there, **UPSTREAM) == ["there"]
    assert due([promotion("p", "there", "Running")], there, **UPSTREAM) == []
    ended = [promotion("p1", "there", "Succeeded"), promotion("p2", "there", "Errored")]
    assert due(ended, there, **UPSTREAM) == []
    with pytest.raises(TooManyCandidates):
        due([], there, freight("also", **THERE), **UPSTREAM)


def test_a_promotion_takes_the_stages_variables_before_the_templates() -> None:
    made = new_promotion(stage(direct=True), freight("0123456789"))
    assert made["spec"] == {
        "stage": "prod",
        "freight": "0123456789",
        "vars": [{"name": "a", "value": "stage"}, {"name": "a", "value": "template"}],
        "steps": [{"task": {"name": "t"}}],
    }
    assert made["metadata"]["name"].startswith("prod.")
    assert made["metadata"]["name"].endswith(".0123456")


# --- what wakes a Stage


def woken(resource: str, change: Change, *stages: Manifest) -> set[Key]:
    stores = Stores()
    listed = [one | {"metadata": one["metadata"] | {"resourceVersion": "1"}} for one in stages]
    stores.of(STAGES).listed({"metadata": {"resourceVersion": "2"}, "items": listed})
    trigger = next(one for one in triggers(stores) if one.resource.plural == resource)
    return set(trigger.keys(change))


PROD = Key("ns", "prod")


@pytest.mark.parametrize(
    ("before", "after", "sources", "wakes"),
    [
        (None, freight("f"), {"direct": True}, True),
        (freight("f"), freight("f", metadata={"a": 1}), {"direct": True}, False),
        (None, freight("f"), {"stages": ["a"]}, False),
        (freight("f"), freight("f", verifiedIn={"a": VERIFIED}), {"stages": ["a"]}, True),
        (freight("f"), freight("f", verifiedIn={"b": VERIFIED}), {"stages": ["a"]}, False),
        (freight("f", verifiedIn={"a": VERIFIED}), freight("f", **THERE), {"stages": ["a"]}, True),
        (freight("f", **THERE), freight("f", verifiedIn={"a": VERIFIED}), {"stages": ["a"]}, False),
        (freight("f"), freight("f", approvedFor={"prod": {}}), {"stages": ["a"]}, True),
        (freight("f"), freight("f", approvedFor={"dev": {}}), {"stages": ["a"]}, False),
        (freight("f"), None, {"direct": True}, False),
    ],
)
def test_freight_wakes(before: Manifest | None, after: Manifest | None, sources: Manifest, wakes: bool) -> None:
    assert woken("freights", Change(before, after), stage(**sources)) == ({PROD} if wakes else set())


def a_promotion(phase: str) -> Manifest:
    return promotion("p", "f", phase) | {"metadata": {"name": "p", "namespace": "ns"}}


@pytest.mark.parametrize(
    ("before", "after", "wakes"),
    [
        (None, a_promotion(""), False),
        (a_promotion(""), a_promotion("Pending"), True),
        (a_promotion("Running"), a_promotion("Running"), False),
        (a_promotion("Running"), None, True),
        (a_promotion("Succeeded"), None, False),
    ],
)
def test_promotions_wake(before: Manifest | None, after: Manifest | None, wakes: bool) -> None:
    assert woken("promotions", Change(before, after)) == ({PROD} if wakes else set())


def an_application(authorized: str = "ns:prod", **status: Any) -> Manifest:
    annotations = {"kargo.akuity.io/authorized-stage": authorized}
    return {"metadata": {"name": "a", "namespace": "argocd", "annotations": annotations}, "status": status}


@pytest.mark.parametrize(
    ("before", "after", "wakes"),
    [
        (an_application(), an_application(health={"status": "Healthy"}), True),
        (an_application(), an_application(sync={"revision": "r"}), True),
        (an_application(), an_application(operationState={"phase": "Running"}), True),
        (an_application(), an_application(reconciledAt="now"), False),
        (an_application(""), an_application("", health={"status": "Healthy"}), False),
        (an_application(), None, True),
    ],
)
def test_applications_wake(before: Manifest, after: Manifest | None, wakes: bool) -> None:
    assert woken("applications", Change(before, after)) == ({PROD} if wakes else set())
