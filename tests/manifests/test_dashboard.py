"""The demo's dashboard, without a Grafana: what it holds, and that its queries are PromQL."""

from __future__ import annotations

import promql_parser
import pytest
import yaml

from gitops_e2e.pipeline.dashboard import FILE, Dashboard, Query
from gitops_e2e.pipeline.memory import LIMIT
from gitops_e2e.pipeline.platform import MANIFESTS

DASHBOARD = Dashboard.of(MANIFESTS)


def test_it_is_a_config_map_that_the_sidecar_of_grafana_finds() -> None:
    config_map = yaml.safe_load((MANIFESTS / FILE).read_text())
    assert config_map["kind"] == "ConfigMap"
    assert config_map["metadata"]["labels"] == {"grafana_dashboard": "1"}


@pytest.mark.parametrize("query", DASHBOARD.queries, ids=lambda query: query.panel)
def test_its_queries_are_promql_once_the_variables_are_put_in(query: Query) -> None:
    filled = query.filled("shop-dev")
    assert "$" not in filled.replace('"$1"', "")
    promql_parser.parse(filled)


def test_memory_is_shown_against_the_limit_that_decides() -> None:
    with_memory = {query.panel for query in DASHBOARD.queries if "container_memory" in query.text}
    with_limit = {query.panel for query in DASHBOARD.queries if query.text == f"vector({LIMIT})"}
    assert len(with_memory) == 2
    assert with_limit == with_memory


def test_panels_stand_beside_each_other_and_every_query_has_a_name_of_its_own() -> None:
    panels = DASHBOARD.content["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels) == 4
    for panel in panels:
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names)


def test_it_only_asks_the_data_source_and_the_stage_that_were_chosen() -> None:
    chosen = {variable["name"] for variable in DASHBOARD.content["templating"]["list"]}
    assert chosen == {"datasource", "namespace"}
    sources = {panel["datasource"]["uid"] for panel in DASHBOARD.content["panels"]}
    assert sources == {"${datasource}"}
