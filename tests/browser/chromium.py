"""Debian's Chromium, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from gitops_e2e.machine.packages import require


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, installed first where it is missing. Raises PackagesMissing."""
    require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
