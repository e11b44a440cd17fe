"""What Prometheus says, with its silence told apart from zero and from its absence."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import requests
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from urllib3 import Retry

from gitops_e2e.errors import HarnessError

_BOUND = 5
_SCRAPE_INTERVAL = 1.0
_Result = TypeVar("_Result")


class PrometheusError(HarnessError):
    """Prometheus refused the query, or answered what is no result."""


class PrometheusUnreachable(PrometheusError):
    """Prometheus gave no answer: refused, reset, or out of time."""


class NoData(HarnessError):
    """The query is fine and nothing matches it: no value, which is not the value 0."""


class SeveralSeries(HarnessError):
    """The query gives more than one value where one was asked for."""


@dataclass(frozen=True)
class Sample:
    """A value at a time, of the series that the labels name. The value may be NaN."""

    labels: Mapping[str, str]
    at: datetime
    value: float

    def __str__(self) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{{{labels}}} {self.value:.12g}"


@dataclass(frozen=True)
class Series:
    """The values of one series, oldest first."""

    labels: Mapping[str, str]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Target:
    """Something Prometheus scrapes; `health` is "up", "down" or "unknown" (not scraped yet)."""

    labels: Mapping[str, str]
    url: str
    health: str
    error: str


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus server at `url`.

    Each query is asked once and bounded: a retry would hide the outage that a scenario is about.
    Every method raises PrometheusUnreachable, and PrometheusError with the server's words.
    """

    url: str

    def instant(self, query: str, at: datetime | None = None) -> tuple[Sample, ...]:
        """What the query gives now, or at a time, one sample a series; () is "no data"."""
        when = str((at or datetime.now(UTC)).timestamp())
        return self._ask(query, lambda client: _vector(client.custom_query(query, params={"time": when})))

    def value(self, query: str, at: datetime | None = None) -> float:
        """The one value of the query. Raises NoData, also for NaN, and SeveralSeries."""
        samples = self.instant(query, at)
        if not samples or math.isnan(samples[0].value):
            raise NoData(f"Prometheus has no data for: {query}", where=self.url)
        if len(samples) > 1:
            raise SeveralSeries(f"{len(samples)} series instead of one for: {query}", where=self.url)
        return samples[0].value

    def await_samples(self, query: str, *, within: float, count: int = 1) -> tuple[Sample, ...]:
        """What the query gives as soon as it gives so many samples, asked once a scrape interval. Raises NoData."""
        return self._await(query, lambda samples: len(samples) == count, str(count), within)

    def await_answer(self, query: str, *, within: float, about: str = "") -> tuple[Sample, ...]:
        """What the query gives as soon as there is a sample, with that label value if one is given. Raises NoData."""
        wanted = f"an answer about {about}" if about else "an answer"
        return self._await(
            query, lambda samples: any(about in ("", *each.labels.values()) for each in samples), wanted, within
        )

    def _await(
        self, query: str, enough: Callable[[tuple[Sample, ...]], bool], wanted: str, within: float
    ) -> tuple[Sample, ...]:
        deadline = time.monotonic() + within
        while True:
            samples = self.instant(query)
            if enough(samples):
                return samples
            if time.monotonic() > deadline:
                found = "".join(f"\n  found: {sample}" for sample in samples)
                raise NoData(
                    f"{len(samples)} samples instead of {wanted} after {within:g} s for: {query}{found}",
                    where=self.url,
                )
            time.sleep(_SCRAPE_INTERVAL)

    def range(self, query: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """What the query gave over a time, one value a step; () is "no data"."""
        seconds = f"{step.total_seconds():g}s"
        return self._ask(query, lambda client: _matrix(client.custom_query_range(query, start, end, seconds)))

    def targets(self) -> tuple[Target, ...]:
        """What Prometheus scrapes."""
        return self._ask("its targets", lambda client: _targets(client.get_targets("active")))

    def _ask(self, what: str, ask: Callable[[PrometheusConnect], _Result]) -> _Result:
        session = requests.Session()
        session.trust_env = False  # no proxy stands between the harness and the cluster
        try:
            with PrometheusConnect(self.url, session=session, retry=Retry(0), timeout=_BOUND) as client:
                return ask(client)
        except PrometheusApiClientException as error:
            raise PrometheusError(f"Prometheus refused {what!r}: {error}", where=self.url) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise PrometheusUnreachable(f"Prometheus does not answer: {error}", where=self.url) from error
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            raise PrometheusError(f"Prometheus gave no numbers for {what!r}: {error!r}", where=self.url) from error


def _vector(results: Any) -> tuple[Sample, ...]:
    if results and not isinstance(results[0], dict):  # a scalar: one pair instead of a list of series
        return (_sample({}, results),)
    return tuple(_sample(result["metric"], result["value"]) for result in results)


def _matrix(results: Any) -> tuple[Series, ...]:
    return tuple(
        Series(result["metric"], tuple(_sample(result["metric"], pair) for pair in result["values"]))
        for result in results
    )


def _targets(answer: Any) -> tuple[Target, ...]:
    return tuple(
        Target(target["labels"], target["scrapeUrl"], target["health"], target["lastError"])
        for target in answer["activeTargets"]
    )


def _sample(labels: Mapping[str, str], pair: Any) -> Sample:
    at, value = pair
    return Sample(labels, datetime.fromtimestamp(float(at), UTC), float(value))
