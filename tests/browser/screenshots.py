"""Pictures of a run's page for the documentation: `python -m tests.browser.screenshots RUN FOLDER [SCENARIO]`.

RUN is a run's folder. In both themes: `run` and `documentation` are the first views of a window; with a SCENARIO, given
by its link in the page, `pictures` are what is told of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from gitops_e2e.commands import run
from gitops_e2e.machine.packages import require
from tests.browser.chromium import chromium

_WINDOW = {"width": 1280, "height": 800}
_BOUND = 60.0


def main(folder: Path, target: Path, scenario: str = "") -> None:
    """Take them all. Raises CommandFailed, PackagesMissing."""
    require("pngquant")
    address = (folder / "index.html").resolve().as_uri()
    with chromium() as browser:
        for theme in ("light", "dark"):
            for name, shown in _views(_page(browser, theme), address, scenario):
                file = target / f"{name}-{theme}.png"
                shown.screenshot(path=file)
                run(["pngquant", "--force", "--ext", ".png", "128", file], timeout=_BOUND)


def _page(browser: Browser, theme: str) -> Page:
    return browser.new_page(color_scheme=theme, viewport=_WINDOW)  # type: ignore[arg-type]


def _views(page: Page, address: str, scenario: str) -> Iterator[tuple[str, Page | Locator]]:
    if scenario:
        page.goto(f"{address}#run/{scenario}")
        case = page.locator(f'[id="run/{scenario}"]')
        case.locator("details").first.evaluate("each => { each.open = true }")
        yield "pictures", case
        return
    page.goto(address)
    yield "run", page
    page.get_by_role("link", name="Documentation", exact=True).click()
    page.evaluate("scrollTo(0, 0)")
    yield "documentation", page


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
