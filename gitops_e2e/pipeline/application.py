"""An Application of Argo CD: what it deploys, from which commit, with what result; and what can be expected of it.

How the controller (3.2) behaves, as far as expectations rest on it:
- Sync status, its revision and health are written together, after one comparison of that revision with what runs
  (controller/state.go, CompareAppState). So health is about a commit once it is Synced to it.
- An automated sync that failed is tried five times within its operation, which stays Running; once the operation has
  failed, that revision is never synced again (controller/appcontroller.go, autoSync).
- A comparison that failed is repeated only by a refresh, or after two to three minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.watching import (
    Blind,
    Expectation,
    Fact,
    Impossible,
    Met,
    Pending,
    Place,
    Snapshot,
    Verdict,
    WatchCache,
    expectation,
)

APPLICATIONS = Resource("argoproj.io/v1alpha1", "Application", "applications", namespaced=True)
ARGOCD = "argocd"
"""The namespace that Applications live in."""

_REFRESH = "argocd.argoproj.io/refresh"
_PROMOTION = "kargo.akuity.io/promotion"
_ERRORS = ("ComparisonError", "InvalidSpecError")
# Long enough for a refresh that was asked for a moment ago to have its effect.
_ERROR_PATIENCE = 15.0
# The repository server or the Git server did not answer: that says nothing about the commit.
_TRANSPORT = re.compile(
    r"code = (Unavailable|DeadlineExceeded|Canceled)"
    r"|deadline exceeded|connection refused|connection reset|no such host|timeout|EOF"
)


@dataclass(frozen=True)
class Application:
    """An Application.

    `namespace` is where it deploys to, `branch` is what it follows in Git, `revision` is the commit that `sync` and
    `health` are about. `operation` is the phase of the last sync ("" where there is none) and `operation_revision` its
    commit. `errors` are its error conditions; `refreshing` says that a refresh was asked for and has not ended.
    `unpruned` are the objects that Git no longer has, and that no automated sync removes.
    """

    name: str
    namespace: str
    branch: str
    sync: str
    revision: str
    health: str
    operation: str
    operation_revision: str
    operation_message: str
    errors: tuple[str, ...]
    refreshing: bool
    unpruned: tuple[str, ...]

    @staticmethod
    def of(manifest: Manifest) -> Application:
        """The Application that a manifest describes."""
        metadata, status = manifest["metadata"], manifest.get("status", {})
        operation = status.get("operationState") or {}
        result = operation.get("syncResult") or (operation.get("operation") or {}).get("sync") or {}
        sync = status.get("sync") or {}
        return Application(
            metadata["name"],
            manifest["spec"]["destination"].get("namespace", ""),
            (manifest["spec"].get("source") or {}).get("targetRevision", ""),
            sync.get("status", ""),
            sync.get("revision", ""),
            (status.get("health") or {}).get("status", ""),
            operation.get("phase", ""),
            result.get("revision", ""),
            operation.get("message", ""),
            tuple(f"{each['type']}: {each.get('message', '')}" for each in status.get("conditions") or []),
            _REFRESH in (metadata.get("annotations") or {}),
            tuple(_unpruned(manifest)),
        )

    @property
    def is_syncing(self) -> bool:
        """Whether a sync is under way."""
        return self.operation in {"Running", "Terminating"}

    @property
    def state(self) -> str:
        """Where it stands, in the controller's words."""
        of_branch = f" of {self.branch}" if self.branch else ""
        words = [f"{self.sync or 'not compared'} at {short(self.revision)}{of_branch}, {self.health or 'no health'}"]
        if self.operation not in {"", "Succeeded"}:
            words.append(f"operation {self.operation} for {short(self.operation_revision)}: {self.operation_message}")
        return "; ".join([*words, *self.errors])


def _unpruned(manifest: Manifest) -> Iterator[str]:
    automated = (manifest["spec"].get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("prune"):
        return
    for each in manifest.get("status", {}).get("resources") or []:
        if each.get("requiresPruning"):
            yield f"{each['kind']} {each['name']}"


def short(revision: str) -> str:
    """A commit's id as people write it."""
    return revision[:7] or "no commit"


@dataclass(frozen=True)
class WatchedApplication:
    """An Application by name, as it is from a commit on; from now where `revision` is None.

    `namespace` is where it deploys to; it lives with Argo CD. With `refreshed`, a resource version that asks for a
    refresh, nothing that was so before the end of that refresh is an answer.
    """

    cache: WatchCache
    name: str
    namespace: str
    revision: str | None
    refreshed: int = 0

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Application {self.name}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(APPLICATIONS, ARGOCD)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return (self.namespace,)

    def read(self, snapshot: Snapshot) -> Application | Pending | Impossible:
        """The Application, once it tells about the commit."""
        manifest = snapshot.find(APPLICATIONS, ARGOCD, self.name)
        if manifest is None:
            return Pending("there is no such Application")
        application = Application.of(manifest)
        if self.refreshed and (application.refreshing or int(manifest["metadata"]["resourceVersion"]) < self.refreshed):
            return Pending(f"Argo CD has not looked at its branch again yet: {application.state}")
        if self.revision in {None, application.revision}:
            return application
        return _hopeless(application, self.revision) or Pending(
            f"not compared with {short(self.revision or '')} yet: {application.state}"
        )

    def operations_of(self, promotion: str) -> frozenset[str]:
        """When the operations began that a Promotion of Kargo asked for, as far back as is known."""
        item = {"name": _PROMOTION, "value": promotion}
        states = map(self._operation_state, self.cache.history())
        return frozenset(
            state["startedAt"] for state in states if item in (state.get("operation", {}).get("info") or [])
        )

    def _operation_state(self, snapshot: Snapshot) -> Manifest:
        try:
            manifest = snapshot.find(APPLICATIONS, ARGOCD, self.name) or {}
        except Blind:
            return {}  # from before they were listed
        state: Manifest = manifest.get("status", {}).get("operationState") or {}
        return state

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What Argo CD says about it."""
        manifest = snapshot.find(APPLICATIONS, ARGOCD, self.name)
        if manifest is None:
            return []
        application = Application.of(manifest)
        operation = f"operation {application.operation or 'none'}: {application.operation_message}"
        return [operation, *application.errors]


# --- what it cannot leave by itself


def _hopeless(application: Application, revision: str | None) -> Impossible | None:
    """Why that commit (or, for None, the one it is at) will not be deployed, however long one waits."""
    about_it = application.operation_revision == (revision or application.revision)
    if application.operation in {"Failed", "Error"} and about_it and application.sync != "Synced":
        return Impossible(f"the sync ended {application.operation}: {application.operation_message}")
    for error in application.errors:
        if error.startswith(_ERRORS) and not application.refreshing and not _TRANSPORT.search(error):
            return Impossible(error, lasting=_ERROR_PATIENCE)
    if application.unpruned:
        return Impossible(f"its prune is off, and Git no longer has {', '.join(application.unpruned)}")
    return None


# --- expectations


def is_synced_to(revision: str) -> Expectation[Application]:
    """What runs is what that commit asks for, and Argo CD is done with it."""

    def judge(application: Application) -> Verdict:
        if application.sync == "Synced" and application.revision == revision and not application.is_syncing:
            return Met(application.state)
        return _hopeless(application, revision) or Pending(application.state)

    return expectation(f"is Synced to {short(revision)}", judge)


def deploys(branch: str, *, to: str) -> Expectation[Application]:
    """It follows that branch, and deploys to that namespace."""

    def judge(application: Application) -> Verdict:
        observed = (
            f"follows {application.branch or 'no branch'} and deploys to {application.namespace or 'no namespace'}"
        )
        as_wanted = (application.branch, application.namespace) == (branch, to)
        return Met(observed) if as_wanted else Impossible(observed)

    return expectation(f"follows {branch} and deploys to {to}", judge)


def has_health(health: str) -> Expectation[Application]:
    """What it deploys is in that state (Healthy, Progressing, Degraded, Suspended, Missing, Unknown) once Synced.

    No other health makes it impossible: what is Degraded now may be Healthy after a pod's restart, and only the
    objects below know whether it can.
    """

    def judge(application: Application) -> Verdict:
        if application.sync == "Synced" and application.health == health:
            return Met(application.state)
        return _hopeless(application, None) or Pending(application.state)

    return expectation(f"is Synced and {health}", judge)


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of an Application means: sync, health, operation, errors that came."""
    if after is None:
        yield Fact("gone", "gone", namespace=_namespace(before))
        return
    old, new = Application.of(before) if before else None, Application.of(after)
    place = new.namespace or None
    if new.sync and (old is None or (old.sync, old.revision) != (new.sync, new.revision)):
        data = {"sync": new.sync, "revision": new.revision}
        yield Fact("sync", f"{new.sync} at {short(new.revision)}", data, place)
    if new.health and (old is None or old.health != new.health):
        yield Fact("health", new.health, {"health": new.health}, place)
    if new.operation and (
        old is None or (old.operation, old.operation_message) != (new.operation, new.operation_message)
    ):
        data = {"phase": new.operation, "revision": new.operation_revision, "message": new.operation_message}
        message = f": {new.operation_message}" if new.operation_message else ""
        yield Fact("operation", f"sync of {short(new.operation_revision)} {new.operation}{message}", data, place)
    for error in new.errors:
        if old is None or error not in old.errors:
            yield Fact("error", error, {}, place)


def _namespace(manifest: Manifest | None) -> str | None:
    return Application.of(manifest).namespace or None if manifest else None
