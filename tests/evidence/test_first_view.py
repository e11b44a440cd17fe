"""What a person sees first of a broken pipeline on the page of the run: before anything is scrolled or opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from gitops_e2e.report.run_folder import RunFolder
from tests.evidence.breakages import BREAKAGES
from tests.evidence.test_first_screen import write_broken
from tests.report import sample

pytestmark = pytest.mark.node

_WINDOW = {"width": 1280, "height": 800}
# The text whose line boxes lie in the window, whole, as it is rendered.
_VISIBLE = """
() => {
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const range = document.createRange();
    for (const line of node.textContent.matchAll(/[^\\n]+/g)) {
      range.setStart(node, line.index);
      range.setEnd(node, line.index + line[0].length);
      const box = range.getBoundingClientRect();
      const across = box.left >= 0 && box.right <= innerWidth;
      const down = box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
      if (across && down && node.parentElement.checkVisibility()) seen.push(line[0]);
    }
  }
  return seen.join("\\n");
}
"""

FirstView = Callable[[str], str]


@pytest.fixture(scope="module")
def first_view(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstView]:
    """The text that the page shows in a small window, of a run in which this alone is broken."""
    page = browser.new_page(viewport=_WINDOW)  # type: ignore[arg-type]

    def look(name: str) -> str:
        # The path to the evidence is as long as it is for people with deep folders: on a line of its own it wraps.
        folder = tmp_path_factory.mktemp("a-clone-in-a-folder-that-is-some-way-down-as-people-have-them")
        write_broken(folder, folder / "features", [name])
        sample.run(folder, "-pno:pytest-kind")
        page.goto((RunFolder.last(folder / "reports").path / "index.html").as_uri())
        return str(page.evaluate(_VISIBLE))

    yield look
    page.close()


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_first_view_tells_what_to_do(first_view: FirstView, name: str) -> None:
    seen = first_view(name)
    for words in BREAKAGES[name].tells:
        assert words in seen, seen
    assert re.search(r"evidence: \S", seen), seen
