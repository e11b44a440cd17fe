"""The one family of errors a user sees."""

from __future__ import annotations


class HarnessError(Exception):
    """Something the user can act on.

    The text has one sentence for what is wrong and, where they are known, a line for
    where it was seen and a line for what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.remedy:
            lines.append(f"  to do: {self.remedy}")
        return "\n".join(lines)
