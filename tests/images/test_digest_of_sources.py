"""What an image of Python code is known by in the cache."""

from __future__ import annotations

from pathlib import Path

from gitops_e2e.cache import digest


def test_byte_code_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text("1\n")
    before = digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/engine.cpython-311.pyc").write_bytes(b"\0")
    assert digest(tmp_path) == before
    (tmp_path / "engine.py").write_text("2\n")
    assert digest(tmp_path) != before
