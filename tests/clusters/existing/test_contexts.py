"""Which cluster a kubeconfig means, and whether a run may go there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.errors import ContextRefused

_SERVER = "https://10.20.30.40:6443"
_LOOPBACK = "https://127.0.0.1:40123"


def write(folder: Path, *names: str, server: str = _SERVER, **changes: Any) -> Path:
    """A kubeconfig with these contexts, the first one current; each has a cluster and a user of its name."""
    file = folder / "kubeconfig"
    config = {
        "clusters": [{"name": one, "cluster": {"server": server, "certificate-authority": "ca.crt"}} for one in names],
        "users": [{"name": one, "user": {"token": f"token of {one}"}} for one in names],
        "contexts": [{"name": one, "context": {"cluster": one, "user": one}} for one in names],
        "current-context": names[0],
    }
    file.write_text(yaml.safe_dump(config | changes))
    return file


def test_the_current_context_is_taken_unless_another_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "one", "two")

    assert Context.read(file).name == "one"
    assert Context.read(file, "two").user == {"token": "token of two"}


def test_a_minified_kubeconfig_is_of_one_context_alone_and_good_for_any_folder(tmp_path: Path) -> None:
    minified = Context.read(write(tmp_path, "one", "two"), "two").minified

    assert "one" not in str(minified["contexts"]) + str(minified["users"])
    assert minified["clusters"] == [
        {"name": "two", "cluster": {"server": _SERVER, "certificate-authority": str(tmp_path / "ca.crt")}}
    ]
    assert minified["current-context"] == "two"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"current-context": None}, "no current context"),
        ({"current-context": "three"}, "the kubeconfig has no context three"),
        ({"clusters": None}, "the kubeconfig has no cluster one"),
        ({"users": []}, "the kubeconfig has no user one"),
        ({"clusters": [{"name": "one", "cluster": {}}]}, "has no server"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContextRefused, match=words):
        Context.read(write(tmp_path, "one", **changes))


def test_a_file_that_does_not_parse_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("token: {hush-hush")

    with pytest.raises(ContextRefused, match="it is no YAML") as refused:
        Context.read(file)
    assert "hush" not in str(refused.value)


def test_a_context_of_somebody_else_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    context = Context.read(write(tmp_path, "production"))

    with pytest.raises(ContextRefused, match=r"neither gitops-e2e nor kind made(.|\n)*--yes-i-mean-it production"):
        context.permitted_because(None, ours=[])
    assert context.permitted_because("production", ours=[]) == "--yes-i-mean-it names it"


def test_naming_another_context_is_a_mistake_wherever_it_leads(tmp_path: Path) -> None:
    context = Context.read(write(tmp_path, "kind-test", server=_LOOPBACK))

    with pytest.raises(ContextRefused, match="names production, but the context is kind-test"):
        context.permitted_because("production", ours=[])


def test_a_cluster_of_ours_is_known_by_its_server(tmp_path: Path) -> None:
    assert Context.read(write(tmp_path, "mine")).permitted_because(None, ours=[_SERVER]) == "gitops-e2e made it"


def test_a_cluster_of_kind_is_known_by_all_its_names_and_its_loopback(tmp_path: Path) -> None:
    assert Context.read(write(tmp_path, "kind-a", server=_LOOPBACK)).permitted_because(None, ours=[]) == "kind made it"
    for file in (
        write(tmp_path, "kind-a", server=_SERVER),
        write(tmp_path, "kind-a", "b", server=_LOOPBACK, contexts=[_context("kind-a", "b")]),
    ):
        with pytest.raises(ContextRefused, match="neither gitops-e2e nor kind"):
            Context.read(file).permitted_because(None, ours=[])


def _context(name: str, other: str) -> dict[str, Any]:
    return {"name": name, "context": {"cluster": other, "user": other}}
