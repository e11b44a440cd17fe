"""`python -m mutants.document` writes docs/mutants.md from the patches; a test holds one against the other."""

from __future__ import annotations

from collections.abc import Sequence

from mutants.mutant import ROOT, Mutant, all_mutants

DOCUMENT = ROOT / "docs/mutants.md"

_HEAD = """# Mutants

Does the suite notice when the pipeline is wrong? `make mutants` takes the correct pipeline, breaks it in one way at a
time, and plays the scenario that has to notice; the scenario also has to pass on the correct pipeline in the same run.
A mutant is caught if the scenario fails where something is judged, with all the words below. A set-up that fails
and a wait that runs out do not count.

Each one is a patch in [`mutants/patches/`](../mutants/patches) of `manifests/`, `kargo/` or `product-api/` (of the
next release alone), below a sentence, the scenario (with a cell of its examples, where it is an outline) and
the words. To add one, write such a file, and let `make mutants ARGS="-k its-name"` play it; `make mutants-docs` writes
this page anew.

| broken | scenario | what it must say |
|---|---|---|
"""


def document(mutants: Sequence[Mutant]) -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(f"{_row(mutant)}\n" for mutant in mutants)


def _row(mutant: Mutant) -> str:
    example = f" ({mutant.example})" if mutant.example else ""
    cells = (
        f"[{mutant.sentence}](../mutants/patches/{mutant.patch.name})",
        f"{mutant.scenario}{example}",
        "; ".join(mutant.says),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace('<', '&lt;') for cell in cells)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(all_mutants()))
