"""Warehouses: what is new in repositories, and the Freight made of it."""
