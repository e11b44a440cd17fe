"""Where the steps of a Promotion keep their files from one pass to the next (behaviour file, 4.2)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

_PREFIX = "promotion-"


class WorkDirectories:
    """One directory a Promotion, below `root`.

    They do not outlive the process, as Kargo's do not outlive its pod: a step that was cut off may have left one
    in a state that no step would. A Promotion that finds none starts over.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        left = Path(tempfile.mkdtemp(prefix="left-", dir=root))
        for directory in root.glob(f"{_PREFIX}*"):
            # A git that outlives its engine by a moment may still write there: the name at least is free at once.
            directory.rename(left / directory.name)
        for directory in root.glob("left-*"):
            shutil.rmtree(directory, ignore_errors=True)

    def open(self, uid: str) -> tuple[Path, bool]:
        """The directory of a Promotion by its uid, and whether it had to be made."""
        path = self._root / f"{_PREFIX}{uid}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return path, False
        return path, True

    def remove(self, uid: str) -> None:
        """Remove the directory of a Promotion that came to its end."""
        shutil.rmtree(self._root / f"{_PREFIX}{uid}", ignore_errors=True)
