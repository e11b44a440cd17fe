"""Projects and their configuration (behaviour file, 1.4 and 1.5)."""

from gitops_e2e.promoter.projects.configs import config_controller
from gitops_e2e.promoter.projects.namespaces import namespace_controller
from gitops_e2e.promoter.projects.reconciler import project_controller

__all__ = ["config_controller", "namespace_controller", "project_controller"]
