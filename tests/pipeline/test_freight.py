"""Freight and Warehouses, on what the real Kargo 1.8.4 reported."""

from __future__ import annotations

import copy

import pytest

from gitops_e2e.pipeline import warehouse
from gitops_e2e.pipeline.freight import (
    AllFreight,
    Freight,
    WatchedFreight,
    is_currently_in,
    is_not_verified_in,
    is_of,
    is_there,
    is_verified_in,
)
from gitops_e2e.pipeline.kargo import FREIGHTS, WAREHOUSES, freight_name
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.warehouse import (
    Warehouse,
    WatchedWarehouse,
    could_look,
    could_not_look,
    has_discovered,
    has_looked,
    is_not_ready,
    says,
)
from gitops_e2e.watching import Expectation, ExpectationFailed, Impossible, WatchCache, expect, passed_through
from tests.kargo_recorded import PROJECT, objects, play, sequence, story
from tests.recorded import idle_cache

NAMES = PipelineNames(PROJECT)
REFRESHED = "1795435190"


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def freight(cache: WatchCache, version: str) -> WatchedFreight:
    return WatchedFreight(cache, NAMES, version)


class TestFreight:
    def test_its_name_follows_from_what_it_is_made_of(self) -> None:
        for manifest in objects("at-the-end/freights"):
            piece = Freight.of(manifest)
            assert piece.name == freight_name(piece.warehouse, *piece.images)

    def test_there_is_none(self, cache: WatchCache) -> None:
        with pytest.raises(ExpectationFailed, match="there is none, but no Freight"):
            expect(freight(cache, "1.0.0"), is_there(), within=0)

    def test_another_version_is_no_answer(self, cache: WatchCache) -> None:
        play(cache, objects("after-first-rollback/freights"))
        expect(freight(cache, "1.0.0"), is_there(), within=0)
        with pytest.raises(ExpectationFailed, match=r"there is none, but that of .*/product-api:1\.0\.0"):
            expect(freight(cache, "0.9.0"), is_there(), within=0)

    def test_after_a_rollback_in_prod(self, cache: WatchCache) -> None:
        play(cache, objects("after-first-rollback/freights"))
        piece = expect(freight(cache, "1.0.0"), is_currently_in("prod"), within=0)
        assert piece.verified_in == ("dev", "staging")
        expect(freight(cache, "1.0.0"), is_not_verified_in("prod"), within=0)
        with pytest.raises(ExpectationFailed, match="verified in dev, staging"):
            expect(freight(cache, "1.0.0"), is_verified_in("prod"), within=0)
        with pytest.raises(ExpectationFailed, match="verified in dev, staging") as failed:
            expect(freight(cache, "1.0.0"), is_not_verified_in("staging"), within=60)
        assert isinstance(failed.value.verdict, Impossible)

    def test_its_way(self, cache: WatchCache) -> None:
        play(cache, sequence(FREIGHTS))
        way = passed_through(
            is_currently_in("dev"), is_verified_in("dev"), is_currently_in("staging"), is_verified_in("staging")
        )
        expect(freight(cache, "1.1.0"), way, within=0)

    def test_all_there_is(self, cache: WatchCache) -> None:
        play(cache, objects("at-the-end/freights"))
        everything = AllFreight(cache, NAMES)
        expect(everything, is_of("1.0.0", "1.0.1", "1.1.0"), within=0)
        with pytest.raises(ExpectationFailed, match=r"Freight of 1\.0\.0, 1\.0\.1, 1\.1\.0") as failed:
            expect(everything, is_of("1.0.0"), within=60)
        assert isinstance(failed.value.verdict, Impossible)
        with pytest.raises(ExpectationFailed, match="was not so within"):
            expect(everything, is_of("1.0.0", "1.0.1", "1.1.0", "1.2.0"), within=0)

    def test_the_story(self, cache: WatchCache) -> None:
        play(cache, sequence(FREIGHTS, "c240bb48531da0ec4c6ec9271e5f43917f173aab"))
        assert story(cache) == [
            "interested-flee: 10.231.0.2:5000/product-api:1.1.0",
            "interested-flee is in dev",
            "interested-flee is verified in dev",
            "interested-flee is in staging",
            "interested-flee is verified in staging",
        ]


class TestWarehouse:
    def watched(self, cache: WatchCache, name: str = PROJECT, refresh: str = "") -> WatchedWarehouse:
        return WatchedWarehouse(cache, PipelineNames(PROJECT), refresh) if name == PROJECT else _named(cache, name)

    def test_what_was_discovered_before_the_refresh_is_no_answer(self, cache: WatchCache) -> None:
        states = sequence(WAREHOUSES, PROJECT)
        for state in states[:3]:
            play(cache, [state])
            assert _pending(self.watched(cache, refresh=REFRESHED), has_discovered("1.0.0"))
        play(cache, states[3:4])
        found = expect(self.watched(cache, refresh=REFRESHED), has_discovered("1.0.1", "1.0.0"), within=0)
        assert found.looked == REFRESHED

    def test_while_it_looks_nothing_is_said(self, cache: WatchCache) -> None:
        play(cache, sequence(WAREHOUSES, PROJECT)[:3])
        with pytest.raises(ExpectationFailed, match="it is looking: Ready=False DiscoveryInProgress"):
            expect(self.watched(cache), has_discovered("1.0.0"), within=0)

    def test_a_registry_that_cannot_be_reached(self, cache: WatchCache) -> None:
        play(cache, sequence(WAREHOUSES, "unreach"))
        expect(_named(cache, "unreach"), could_not_look(because="error listing tags"), within=0)

    def test_a_look_that_failed_counts_although_the_warehouse_goes_by_what_it_knew_and_is_ready(
        self, cache: WatchCache
    ) -> None:
        *_, looking, found = sequence(WAREHOUSES, PROJECT)[:4]
        failed = copy.deepcopy(found)
        for condition in failed["status"]["conditions"]:
            if condition["type"] == "Ready":
                condition.update(status="False", reason="DiscoveryFailure", message="error listing tags")
        warehouse = self.watched(cache, refresh=REFRESHED)
        play(cache, [looking, failed, found])
        expect(warehouse, could_not_look("error listing tags"), within=0)
        with pytest.raises(ExpectationFailed, match="never was: is not ready: DiscoveryFailure"):
            expect(warehouse, could_look(), within=0)

    def test_a_look_that_did_not_fail(self, cache: WatchCache) -> None:
        play(cache, sequence(WAREHOUSES, PROJECT)[:4])
        assert expect(self.watched(cache, refresh=REFRESHED), could_look(), within=0).tags == ("1.0.1", "1.0.0")
        with pytest.raises(ExpectationFailed, match=r"Ready=True .*discovered 1\.0\.1, 1\.0\.0"):
            expect(self.watched(cache, refresh=REFRESHED), could_not_look(), within=0)

    def test_a_constraint_that_matches_nothing(self, cache: WatchCache) -> None:
        play(cache, sequence(WAREHOUSES, "nomatch"))
        nothing = expect(_named(cache, "nomatch"), is_not_ready("MissingImageReferences"), within=0)
        assert nothing.tags == ()
        expect(_named(cache, "nomatch"), has_looked(), within=0)
        assert _pending(_named(cache, "nomatch"), has_discovered("1.0.0"))

    def test_what_the_answer_to_a_refresh_says_does_not_pass(
        self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(warehouse, "_PATIENCE", 0.0)
        play(cache, sequence(WAREHOUSES, PROJECT)[:4])
        for wanted in (is_not_ready("DiscoveryFailure"), says("FreightCreated", "AlreadyExists")):
            with pytest.raises(ExpectationFailed, match=r"Ready=True .*discovered 1\.0\.1, 1\.0\.0") as failed:
                expect(self.watched(cache, refresh=REFRESHED), wanted, within=60)
            assert isinstance(failed.value.verdict, Impossible)

    def test_the_story_tells_what_a_look_found_and_no_looking(self, cache: WatchCache) -> None:
        play(cache, sequence(WAREHOUSES, "nomatch"))
        texts = story(cache)
        assert texts
        assert all(text.startswith("MissingImageReferences: No references discovered") for text in texts)


def _named(cache: WatchCache, name: str) -> WatchedWarehouse:
    """The recorded project has Warehouses that are not called as it is."""

    class Names(PipelineNames):
        @property
        def warehouse(self) -> str:
            return name

    return WatchedWarehouse(cache, Names(PROJECT))


def _pending(subject: WatchedWarehouse, wanted: Expectation[Warehouse]) -> bool:
    with pytest.raises(ExpectationFailed, match="was not so within") as failed:
        expect(subject, wanted, within=0)
    return bool(failed.value)
