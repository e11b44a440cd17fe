"""Stages: what is in them, whether it is healthy and verified, and what comes next."""

from gitops_e2e.promoter.stages.reconciler import StageReconciler, stage_controller

__all__ = ["StageReconciler", "stage_controller"]
