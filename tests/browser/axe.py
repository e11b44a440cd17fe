"""axe-core, which looks for what keeps people from using a page: contrast, names, order, keyboard."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from gitops_e2e.commands import run

_FOLDER = Path(__file__).parent
_SCRIPT = _FOLDER / "node_modules" / "axe-core" / "axe.min.js"
_BOUND = 120.0


@dataclass(frozen=True)
class Axe:
    """Its script, to be run on a page."""

    script: str

    @staticmethod
    def installed() -> Axe:
        """The version that package-lock.json pins, by npm. Raises CommandFailed."""
        node = Path(sys.executable).parent
        run(
            [node / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
            timeout=_BOUND,
            cwd=_FOLDER,
            env={"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"},
        )
        return Axe(_SCRIPT.read_text())

    def barriers(self, page: Page) -> list[str]:
        """What it finds on the page as it is now, a line for each element: which rule, why, and where."""
        page.evaluate(self.script)
        result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
