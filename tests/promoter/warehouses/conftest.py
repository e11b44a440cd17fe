"""A registry that all tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.promoter.warehouses.registry_server import RegistryServer


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    server = RegistryServer(tmp_path_factory.mktemp("registry"))
    server.start()
    yield server
    server.stop()
