"""Warehouses: what is new in repositories, and the Freight made of it."""

from gitops_e2e.promoter.warehouses.controller import MINIMUM_INTERVAL, warehouse_controller

__all__ = ["MINIMUM_INTERVAL", "warehouse_controller"]
