"""Kargo's API group as the engine serves it: its kinds, what is read from their objects, and their names."""
