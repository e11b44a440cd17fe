"""The kinds of Argo CD and Argo Rollouts that a Stage has to do with."""

from __future__ import annotations

from gitops_e2e.kube import Resource

_API_VERSION = "argoproj.io/v1alpha1"

ANALYSIS_RUNS = Resource(_API_VERSION, "AnalysisRun", "analysisruns", namespaced=True)
APPLICATIONS = Resource(_API_VERSION, "Application", "applications", namespaced=True)
