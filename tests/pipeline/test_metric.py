"""The answers in prometheus-2.42.json are those that a Prometheus 2.42 gave."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitops_e2e.pipeline import metric
from gitops_e2e.pipeline.metric import (
    NoData,
    Prometheus,
    PrometheusError,
    PrometheusUnreachable,
    Sample,
    SeveralSeries,
    Target,
)
from tests.pipeline.servers import Reply, Serve

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "prometheus-2.42.json").read_text())
END = datetime(2026, 11, 23, 15, 20, 9, tzinfo=UTC)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def prometheus(serve: Serve, asked: list[str]) -> Prometheus:
    def answer(path: str) -> Reply:
        asked.append(path)
        parts = urlsplit(path)
        query = parse_qs(parts.query).get("query", [None])[0]
        (entry,) = (item for item in RECORDED if (item["path"], item["query"]) == (parts.path, query))
        return Reply(entry["status"], json.dumps(entry["body"]), {"Content-Type": "application/json"})

    return Prometheus(serve(answer).url)


def test_instant_gives_one_sample_a_series(prometheus: Prometheus) -> None:
    samples = prometheus.instant("up")
    assert [(sample.labels["job"], sample.value) for sample in samples] == [("prometheus", 1.0), ("nobody", 0.0)]
    assert samples[0].at == datetime.fromtimestamp(1795447209.474, UTC)


def test_instant_at_a_time_asks_for_that_time(prometheus: Prometheus, asked: list[str]) -> None:
    prometheus.instant("up", at=END)
    assert parse_qs(urlsplit(asked[0]).query)["time"] == [str(END.timestamp())]


def test_instant_of_a_scalar_is_a_sample_without_labels(prometheus: Prometheus) -> None:
    assert prometheus.instant("scalar(vector(1))") == (Sample({}, datetime.fromtimestamp(1795447209.503, UTC), 1.0),)


def test_nothing_is_no_data(prometheus: Prometheus) -> None:
    assert prometheus.instant("nothing") == ()
    with pytest.raises(NoData, match="no data for: nothing"):
        prometheus.value("nothing")


def test_zero_is_a_value(prometheus: Prometheus) -> None:
    assert prometheus.value("vector(0)") == 0.0


def test_not_a_number_is_no_data(prometheus: Prometheus) -> None:
    assert math.isnan(prometheus.instant("vector(0)/vector(0)")[0].value)
    with pytest.raises(NoData):
        prometheus.value("vector(0)/vector(0)")


def test_one_value_of_several_series_is_an_error(prometheus: Prometheus) -> None:
    with pytest.raises(SeveralSeries, match="2 series"):
        prometheus.value("up")


@pytest.mark.parametrize("query", ["up[3s]", '"text"'])
def test_what_is_no_instant_value_is_an_error(query: str, prometheus: Prometheus) -> None:
    with pytest.raises(PrometheusError, match="gave no numbers"):
        prometheus.instant(query)


def test_a_refused_query_is_an_error_with_the_servers_words(prometheus: Prometheus) -> None:
    with pytest.raises(PrometheusError, match="unclosed left parenthesis") as caught:
        prometheus.instant("sum(")
    assert not isinstance(caught.value, PrometheusUnreachable)


def test_range_gives_the_values_of_each_series(prometheus: Prometheus, asked: list[str]) -> None:
    series = prometheus.range("up", END - timedelta(seconds=4), END, timedelta(seconds=2))
    assert [(one.labels["job"], [sample.value for sample in one.samples]) for one in series] == [
        ("prometheus", [1.0, 1.0]),
        ("nobody", [0.0, 0.0]),
    ]
    assert series[0].samples[1].at - series[0].samples[0].at == timedelta(seconds=2)
    query = parse_qs(urlsplit(asked[0]).query)
    assert (float(query["start"][0]), float(query["end"][0])) == (END.timestamp() - 4, END.timestamp())
    assert query["step"] == ["2s"]


def test_range_of_nothing_is_no_data(prometheus: Prometheus) -> None:
    assert prometheus.range("nothing", END - timedelta(seconds=4), END, timedelta(seconds=2)) == ()


def test_range_that_is_refused_is_an_error(prometheus: Prometheus) -> None:
    with pytest.raises(PrometheusError, match="unclosed left parenthesis"):
        prometheus.range("sum(", END - timedelta(seconds=4), END, timedelta(seconds=2))


def test_targets_say_what_is_wrong_with_them(prometheus: Prometheus) -> None:
    down, up = prometheus.targets()
    assert (down.health, down.labels["job"]) == ("down", "nobody")
    assert "connection refused" in down.error
    assert up == Target(
        {"instance": "127.0.0.1:19090", "job": "prometheus"}, "http://127.0.0.1:19090/metrics", "up", ""
    )


def test_nobody_there_is_unreachable(nobody: str) -> None:
    with pytest.raises(PrometheusUnreachable, match="does not answer"):
        Prometheus(nobody).instant("up")


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_server_is_asked_once(status: int, serve: Serve) -> None:
    asked: list[str] = []

    def answer(path: str) -> Reply:
        asked.append(path)
        return Reply(status, "out of order")

    with pytest.raises(PrometheusError, match=f"{status}.*out of order"):
        Prometheus(serve(answer).url).instant("up")
    assert len(asked) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"status":"success"}', '{"status":"success","data":{}}'])
def test_an_answer_that_is_no_prometheus_is_an_error(body: str, serve: Serve) -> None:
    with pytest.raises(PrometheusError, match="gave no numbers"):
        Prometheus(serve(lambda _: Reply(200, body)).url).instant("up")


def test_a_connection_that_is_closed_is_unreachable(serve: Serve) -> None:
    with pytest.raises(PrometheusUnreachable):
        Prometheus(serve(lambda _: Reply(None)).url).instant("up")


def test_samples_that_come_late_are_awaited(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric, "_SCRAPE_INTERVAL", 0.01)
    recorded = {item["query"]: json.dumps(item["body"]) for item in RECORDED if item["path"] == "/api/v1/query"}
    replies = iter([recorded["nothing"], recorded["vector(0)"], recorded["up"]])
    prometheus = Prometheus(serve(lambda _: Reply(200, next(replies))).url)
    assert len(prometheus.await_samples("up", within=30, count=2)) == 2


def test_samples_that_do_not_come_are_no_data(prometheus: Prometheus) -> None:
    with pytest.raises(NoData, match="2 samples instead of 3 after 0 s for: up"):
        prometheus.await_samples("up", within=0, count=3)


def test_an_outage_is_not_waited_for(nobody: str) -> None:
    with pytest.raises(PrometheusUnreachable):
        Prometheus(nobody).await_samples("up", within=30)
