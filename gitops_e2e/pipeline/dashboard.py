"""The demo's Grafana dashboard: the queries of its panels, as they stand in `manifests/monitoring/dashboard.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = "monitoring/dashboard.yaml"
RATE_INTERVAL = "20s"
"""What is put in for Grafana's `$__rate_interval`: several scrapes."""


@dataclass(frozen=True)
class Query:
    """A query of a panel, with Grafana's variables in it."""

    panel: str
    text: str

    @property
    def tells_releases_apart(self) -> bool:
        """Whether it has a line for each release that runs."""
        return "(release)" in self.text or "(rollouts_pod_template_hash" in self.text

    def filled(self, namespace: str) -> str:
        """The query as Prometheus gets it, of one stage."""
        return self.text.replace("$namespace", namespace).replace("$__rate_interval", RATE_INTERVAL)


@dataclass(frozen=True)
class Dashboard:
    """The dashboard, as the JSON that Grafana loads."""

    content: Mapping[str, Any]

    @staticmethod
    def of(manifests: Path) -> Dashboard:
        """The dashboard of a folder of manifests."""
        config_map = yaml.safe_load((manifests / FILE).read_text())
        (text,) = config_map["data"].values()
        return Dashboard(json.loads(text))

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries of all panels."""
        return tuple(
            Query(panel["title"], target["expr"]) for panel in self.content["panels"] for target in panel["targets"]
        )
