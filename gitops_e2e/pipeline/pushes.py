"""What can become of a push to a branch: hooks that the Git server runs in the pipeline's repository."""

from __future__ import annotations

from dataclasses import dataclass

OVERTAKEN = "Be faster"
"""The subject of the commits that come in the way of pushes."""

_DECLINES = """\
#!/bin/sh
read -r old new ref
[ "$ref" != "refs/heads/{branch}" ] || exit 1
"""
_OVERTAKES = """\
#!/bin/sh
set -e
export GIT_AUTHOR_NAME=else GIT_AUTHOR_EMAIL=else@example.invalid
export GIT_COMMITTER_NAME=else GIT_COMMITTER_EMAIL=else@example.invalid
head=$(git rev-parse "refs/heads/{branch}")
blob=$(echo "$head" | git hash-object -w --stdin)
tree=$({{ git ls-tree "$head"; printf '100644 blob %s\\tNOTICE-%s\\n' "$blob" "$head"; }} | git mktree)
git update-ref "refs/heads/{branch}" "$(git commit-tree -p "$head" -m '{subject}' "$tree")"
"""


@dataclass(frozen=True)
class Hook:
    """A script, and when the Git server runs it.

    `event` is `pre-receive`, git's own, or `before-push`: before whoever pushes is told where the branches are.
    """

    event: str
    script: str


def declined(branch: str) -> Hook:
    """The server takes no push to the branch."""
    return Hook("pre-receive", _DECLINES.format(branch=branch))


def overtaken(branch: str) -> Hook:
    """Somebody else's commit comes to the branch just before each push, so that it is rejected as no fast-forward."""
    return Hook("before-push", _OVERTAKES.format(branch=branch, subject=OVERTAKEN))
