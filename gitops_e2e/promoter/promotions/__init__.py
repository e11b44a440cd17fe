"""Promotions: from a template's steps to the end of the last one (behaviour file, section 4)."""

from gitops_e2e.promoter.promotions.applications import ApplicationNames
from gitops_e2e.promoter.promotions.garbage import garbage_controllers
from gitops_e2e.promoter.promotions.reconciler import PromotionReconciler, promotion_controller
from gitops_e2e.promoter.promotions.work_directories import WorkDirectories

__all__ = [
    "ApplicationNames",
    "PromotionReconciler",
    "WorkDirectories",
    "garbage_controllers",
    "promotion_controller",
]
