"""By which words of a failure its cause is found."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_e2e.evidence.telling import Surroundings, told
from gitops_e2e.watching import ExpectationFailed, Pending

NOTHING_FITS = (
    '07:58:21.847 Warehouse shop: MissingImageReferences: No references discovered for image repository "shop"'
)
FOUND = "07:58:22.827 Warehouse shop: discovered 1.0.0"
RUNS = "07:58:23.035 Promotion dev.1: Running"


def failed(story: Sequence[str]) -> str:
    error = ExpectationFailed(
        "Promotion dev.1 in shop: that was not so within 45 s",
        Pending("Running"),
        subject="Promotion dev.1 in shop",
        namespaces=("shop",),
        story=story,
    )
    return told(error, Surroundings())


def test_what_a_warehouse_said_last_may_be_the_cause() -> None:
    assert "likely cause: no tag in the image repository fits" in failed((NOTHING_FITS, RUNS))


def test_what_a_warehouse_found_since_is_not_the_cause() -> None:
    text = failed((NOTHING_FITS, FOUND, RUNS))
    assert "likely cause" not in text
    assert NOTHING_FITS in text
