"""Prometheus by kube-prometheus-stack, with Grafana."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import yaml

from gitops_e2e.bundle import Chart
from gitops_e2e.components.adapting import adapted
from gitops_e2e.components.charts.pins import values_of
from gitops_e2e.components.component import Component
from gitops_e2e.components.prometheus import Prometheus
from gitops_e2e.components.sources import Sources
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.pipeline.dashboard import FILE as DASHBOARD
from gitops_e2e.pipeline.platform import MANIFESTS

GRAFANA_PORT = 30091
"""The NodePort of Grafana."""

_BY_THE_OPERATOR = "prometheus-kube-prometheus-stack-prometheus"


@dataclass(frozen=True)
class PrometheusStack(Component):
    """The operator, a Prometheus that scrapes what `Prometheus` does, and Grafana with the demo's dashboard.

    Its images are the cluster's to pull.
    """

    name: ClassVar[str] = Prometheus.name
    namespace: ClassVar[str] = Prometheus.namespace
    sources: Sources
    chart: Chart

    def manifests(self) -> list[Manifest]:
        """The chart, rendered; the Service `prometheus`, which analyses ask; and the dashboard."""
        values = [values_of(self.chart.name)]
        chart = self.sources.packed_chart(self.chart, namespace=self.namespace, values=values)
        namespace: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        dashboard: Manifest = yaml.safe_load((MANIFESTS / DASHBOARD).read_text())
        return [
            namespace,
            *adapted(chart, namespace=self.namespace, images={}, pulls=True),
            *(each for each in self.sources.own("prometheus.yaml") if each["kind"] == "Service"),
            dashboard,
        ]

    def workloads(self) -> list[Ref]:
        """Prometheus itself, which the operator makes, then what is in the chart."""
        return [Ref("apps/v1", "StatefulSet", _BY_THE_OPERATOR, self.namespace), *super().workloads()]

    def pinned(self) -> str:
        """The chart, which decides on the version."""
        return str(self.chart)

    def version(self, kube: Kube) -> str:
        """The version of Prometheus that runs, and by which chart. Raises HarnessError while there is none."""
        return f"{super().version(kube)} ({self.chart})"
