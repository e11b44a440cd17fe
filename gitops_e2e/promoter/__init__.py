"""The promotion engine: Kargo 1.8.4's API and behaviour, for where Kargo's image cannot be had."""

VERSION = "0.1.0"
"""The engine's own."""

KARGO_VERSION = "1.8.4"
"""The Kargo whose API and behaviour this is."""
