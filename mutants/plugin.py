"""The plugin of pytest that plays mutants: `python -m pytest features/ -p mutants.plugin`."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Come last: then its fixtures stand before those of the same name, and it sees reports as others leave them."""
    config.pluginmanager.import_plugin("mutants.suite")
