"""Readings of Stages, Freight and annotations, and the names that the engine makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api import freights, names, requests, stages
from gitops_e2e.promoter.api.origins import Origin

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def a_freight(**status: Any) -> Manifest:
    return {
        "metadata": {"name": "f49ff1e667d8618d16beebcf0298e6e5081a51e5", "namespace": "demo"},
        "origin": {"kind": "Warehouse", "name": "demo"},
        "images": [{"repoURL": "registry/product-api", "tag": "1.0.0"}],
        "status": status,
    }


def a_stage(**sources: Any) -> Manifest:
    request = {"origin": {"kind": "Warehouse", "name": "demo"}, "sources": sources}
    return {"metadata": {"name": "prod", "namespace": "demo"}, "spec": {"requestedFreight": [request]}}


VERIFIED = {"verifiedAt": "2026-01-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("sources", "status", "available"),
    [
        ({"direct": True}, {}, True),
        ({"direct": True, "stages": ["staging"], "requiredSoakTime": "1h"}, {}, True),
        ({}, {}, False),
        ({}, {"approvedFor": {"prod": {"approvedAt": "2026-01-01T10:00:00Z"}}}, True),
        ({"stages": ["staging"]}, {}, False),
        ({"stages": ["staging"]}, {"verifiedIn": {"staging": VERIFIED}}, True),
        ({"stages": ["staging"]}, {"verifiedIn": {"dev": VERIFIED}}, False),
        ({"stages": ["dev", "staging"]}, {"verifiedIn": {"dev": VERIFIED}}, True),
        ({"stages": ["dev", "staging"], "availabilityStrategy": "All"}, {"verifiedIn": {"dev": VERIFIED}}, False),
        ({"stages": [], "availabilityStrategy": "All"}, {}, True),
        ({"stages": ["dev"], "requiredSoakTime": "1h"}, {"verifiedIn": {"dev": VERIFIED}}, False),
        (
            {"stages": ["dev"], "requiredSoakTime": "1h"},
            {"verifiedIn": {"dev": VERIFIED}, "currentlyIn": {"dev": {"since": "2026-01-01T11:00:00Z"}}},
            True,
        ),
        (
            {"stages": ["dev"], "requiredSoakTime": "1h"},
            {"verifiedIn": {"dev": {**VERIFIED, "longestSoak": "1h0m1s"}}},
            True,
        ),
        (
            {"stages": ["dev"], "requiredSoakTime": "1h"},
            {"currentlyIn": {"dev": {"since": "2026-01-01T09:00:00Z"}}},
            False,
        ),
    ],
)
def test_availability_of_freight(sources: Manifest, status: Manifest, *, available: bool) -> None:
    assert freights.is_available(a_freight(**status), a_stage(**sources), NOW) is available


def test_freight_of_another_origin_or_namespace_is_not_available() -> None:
    stage = a_stage(direct=True)
    other_origin = a_freight() | {"origin": {"kind": "Warehouse", "name": "other"}}
    elsewhere = a_freight() | {"metadata": {"name": "f", "namespace": "elsewhere"}}
    assert not freights.is_available(other_origin, stage, NOW)
    assert not freights.is_available(elsewhere, stage, NOW)


def test_soak_is_the_longer_of_past_and_present_stay() -> None:
    status = {
        "verifiedIn": {"dev": {**VERIFIED, "longestSoak": "10m0s"}},
        "currentlyIn": {"dev": {"since": "2026-01-01T11:55:00Z"}},
    }
    assert freights.soak(a_freight(**status), "dev", NOW) == timedelta(minutes=10)
    assert freights.soak(a_freight(**status), "dev", NOW + timedelta(minutes=6)) == timedelta(minutes=11)
    assert freights.soak(a_freight(**status), "staging", NOW) == timedelta(0)


def test_freight_reference_names_origin_and_artifacts() -> None:
    assert freights.reference(a_freight(currentlyIn={})) == {
        "name": "f49ff1e667d8618d16beebcf0298e6e5081a51e5",
        "origin": {"kind": "Warehouse", "name": "demo"},
        "images": [{"repoURL": "registry/product-api", "tag": "1.0.0"}],
    }


def test_requests_of_a_stage() -> None:
    stage = a_stage(stages=["a", "b"], requiredSoakTime="15s", availabilityStrategy="All")
    assert stages.freight_requests(stage) == (
        stages.FreightRequest(
            Origin("Warehouse", "demo"),
            direct=False,
            stages=("a", "b"),
            required_soak=timedelta(seconds=15),
            strategy="All",
            selection="NewestFreight",
        ),
    )
    assert str(stages.freight_requests(stage)[0].origin) == "Warehouse/demo"


def test_stage_variables_come_before_those_of_its_template() -> None:
    stage = a_stage(direct=True)
    stage["spec"]["vars"] = [{"name": "a", "value": "1"}]
    stage["spec"]["promotionTemplate"] = {"spec": {"vars": [{"name": "a", "value": "2"}], "steps": [{"uses": "copy"}]}}
    assert [var["value"] for var in stages.promotion_vars(stage)] == ["1", "2"]
    assert not stages.is_control_flow(stage)
    assert stages.is_control_flow(a_stage(direct=True))


def test_promotion_names_sort_in_the_order_they_are_made() -> None:
    made = [names.promotion_name("Dev", "F49FF1E667D8618D16BEEBCF0298E6E5081A51E5") for _ in range(200)]
    assert made == sorted(set(made))
    stage, ulid, freight = made[0].split(".")
    assert (stage, len(ulid), freight) == ("dev", 26, "f49ff1e")
    assert ulid < names.promotion_name("dev", "x").split(".")[1] < "7zzzzzzzzzzzzzzzzzzzzzzzzz"


def test_collection_ids_as_recorded() -> None:
    web, main = "5cdabdc04f30a3575ab6d941054e925784d7a69a", "02f92e0daaa252cbe06d4e258e27b8b4d89aff6e"
    assert names.collection_id([web]) == "6e2ac2a01a5271b02bce5e8cc4d4aa50bb49722d"
    assert names.collection_id([web, main]) == "fa83ad781a338251df020f77245b5970c68272ca"
    assert names.collection_id([main, web]) == names.collection_id([web, main])


def test_long_label_values_are_cut_and_told_apart() -> None:
    assert names.shortened_label("dev") == "dev"
    one, other = names.shortened_label("a" * 53 + "-" * 20 + "1"), names.shortened_label("a" * 53 + "-" * 20 + "2")
    assert one != other
    assert one.startswith("a" * 53 + "-")
    assert len(one) == 53 + 1 + 8


@pytest.mark.parametrize(
    ("text", "request_read"),
    [
        ("", None),
        ("terminate", requests.Request("terminate")),
        ('{"action":"terminate","actor":"kubernetes:admin"}', requests.Request("terminate", "kubernetes:admin")),
        ('{"action":"terminate","controlPlane":true}', requests.Request("terminate", control_plane=True)),
        ('{"action":""}', None),
        ('{"id":"x"}', None),
        ("42", None),
        ('"text"', None),
    ],
)
def test_requests_in_annotations(text: str, request_read: requests.Request | None) -> None:
    assert requests.parse_request(text, "action") == request_read


def test_a_request_as_recorded() -> None:
    asked = requests.Request("c0bee08e-39bc-4322-9da8-1a56e2f4cb7d", "kubernetes:admin")
    assert asked.annotation("id") == '{"id":"c0bee08e-39bc-4322-9da8-1a56e2f4cb7d","actor":"kubernetes:admin"}'
    own = requests.Request("964dc377-b2ec-4ad6-b2db-770541a7e222", control_plane=True)
    assert own.annotation("id") == '{"id":"964dc377-b2ec-4ad6-b2db-770541a7e222","controlPlane":true}'
