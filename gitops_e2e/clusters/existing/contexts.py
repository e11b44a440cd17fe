"""Which cluster a kubeconfig means, and whether a run may go there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gitops_e2e.clusters.existing.errors import ContextRefused

_KIND = "kind-"
_FILES = {"certificate-authority", "client-certificate", "client-key", "tokenFile"}


@dataclass(frozen=True)
class Context:
    """One context of a kubeconfig. `cluster` and `user` are what it says of them, with absolute paths."""

    name: str
    file: Path
    cluster_name: str
    cluster: Mapping[str, Any]
    user_name: str
    user: Mapping[str, Any]

    @staticmethod
    def read(file: Path, name: str | None = None) -> Context:
        """The context of that name, else the current one. Raises ContextRefused."""
        config = _parsed(file)
        name = name or config.get("current-context")
        if not name:
            raise ContextRefused("this kubeconfig has no current context", where=str(file), remedy="give --context")
        context = _entry(config, "context", str(name), file)
        cluster, user = str(context.get("cluster")), str(context.get("user"))
        found = Context(
            str(name),
            file,
            cluster,
            _absolute(_entry(config, "cluster", cluster, file), file),
            user,
            _absolute(_entry(config, "user", user, file), file),
        )
        if not found.server:
            raise ContextRefused(f"cluster {cluster} of context {name} has no server", where=str(file))
        return found

    @property
    def server(self) -> str:
        """The URL of its API server."""
        return str(self.cluster.get("server") or "")

    @property
    def minified(self) -> Mapping[str, Any]:
        """A kubeconfig of this context alone."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.cluster_name, "cluster": dict(self.cluster)}],
            "users": [{"name": self.user_name, "user": dict(self.user)}],
            "contexts": [{"name": self.name, "context": {"cluster": self.cluster_name, "user": self.user_name}}],
            "current-context": self.name,
        }

    def permitted_because(self, meant: str | None, ours: Iterable[str]) -> str:
        """Why a run may go there. `meant` is the context that was named on purpose, `ours` the servers of our clusters.

        kind calls context, cluster and user "kind-NAME", and lets the API server listen on this machine's loopback.
        Raises ContextRefused.
        """
        if meant is not None and meant != self.name:
            raise ContextRefused(
                f"--yes-i-mean-it names {meant}, but the context is {self.name}",
                where=str(self.file),
                remedy="name the context that is meant in both places",
            )
        if meant is not None:
            return "--yes-i-mean-it names it"
        if self.server in ours:
            return "gitops-e2e made it"
        names = {self.name, self.cluster_name, self.user_name}
        if len(names) == 1 and self.name.startswith(_KIND) and _is_loopback(self.server):
            return "kind made it"
        raise ContextRefused(
            f"context {self.name} ({self.server}) is of a cluster that neither gitops-e2e nor kind made",
            where=str(self.file),
            remedy=f"if it may be used for tests, add --yes-i-mean-it {self.name}",
        )


def _parsed(file: Path) -> Mapping[str, Any]:
    try:
        config = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        # YAML's own message quotes the line, which may hold a key.
        what = error.strerror if isinstance(error, OSError) else "it is no YAML"
        raise ContextRefused(f"the kubeconfig cannot be read: {what}", where=str(file)) from None
    if not isinstance(config, dict):
        raise ContextRefused("this is no kubeconfig", where=str(file), remedy="give --kubeconfig a file of kubectl")
    return config


def _entry(config: Mapping[str, Any], kind: str, name: str, file: Path) -> Mapping[str, Any]:
    """The entry of a list of named ones, such as `clusters: [{name: one, cluster: {…}}]`."""
    entries = [each for each in config.get(f"{kind}s") or [] if isinstance(each, dict)]
    for each in entries:
        if each.get("name") == name:
            found = each.get(kind)
            return found if isinstance(found, dict) else {}
    known = ", ".join(str(each.get("name")) for each in entries) or "none"
    remedy = f"use one of: {known}" if kind == "context" else "mend the kubeconfig"
    raise ContextRefused(f"the kubeconfig has no {kind} {name}", where=str(file), remedy=remedy)


def _absolute(entry: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    """The entry as it is good for anywhere: paths in it are relative to its kubeconfig."""
    folder = file.absolute().parent
    return {key: str(folder / str(value)) if key in _FILES else value for key, value in entry.items()}


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
