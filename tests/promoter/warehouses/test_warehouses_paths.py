"""Which changes count for a git subscription."""

from __future__ import annotations

import pytest

from gitops_e2e.promoter.warehouses.paths import PathFilter
from gitops_e2e.promoter.warehouses.tags import BadPattern


@pytest.mark.parametrize(
    ("included", "excluded", "changed", "passes"),
    [
        (["apps/guestbook"], [], ["apps/guestbook/a.yaml"], True),
        (["apps/guestbook/"], [], ["apps/guestbook/deep/a.yaml"], True),
        (["apps/guestbook"], [], ["apps/guestbook"], True),
        (["apps/guestbook"], [], ["apps/guestbook-2/a.yaml", "apps/a.yaml"], False),
        (["apps/guestbook"], [], [], False),
        (["docs", "apps"], [], ["apps/a"], True),
        ([""], [], ["anything"], True),
        (["a:b"], [], ["a:b/c"], True),
        ([], ["docs"], ["docs/a.md"], False),
        ([], ["docs"], ["docs/a.md", "src/a"], True),
        ([], ["docs"], [], False),
        (["apps"], ["apps/README.md"], ["apps/README.md"], False),
        (["apps"], ["apps/README.md"], ["apps/README.md", "apps/a"], True),
        (["apps"], ["glob:**/*.md"], ["apps/x/y.md", "apps/z.md"], False),
        (["glob:apps/*/*.yaml"], [], ["apps/x/a.yaml"], True),
        (["glob:apps/*/*.yaml"], [], ["apps/x/y/a.yaml"], False),
        (["glob:*.yaml"], [], ["apps/a.yaml"], False),
        (["regex:ya?ml$"], [], ["apps/a.yml"], True),
        (["regexp:^apps/"], [], ["x/apps/a.yml"], False),
    ],
)
def test_one_change_that_counts_is_enough(
    included: list[str], excluded: list[str], changed: list[str], passes: object
) -> None:
    subscription = {"includePaths": included, "excludePaths": excluded}
    assert PathFilter.of(subscription).passes(changed) is passes


def test_without_selectors_no_change_is_needed() -> None:
    assert PathFilter.of({}).is_empty
    assert not PathFilter.of({"excludePaths": ["docs"]}).is_empty


@pytest.mark.parametrize("selector", ["regex:(", "glob:{a"])
def test_a_pattern_that_cannot_be_read_is_told(selector: str) -> None:
    with pytest.raises(BadPattern, match="error compiling"):
        PathFilter.of({"includePaths": [selector]})
