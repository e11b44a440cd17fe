"""A small client over the `kubernetes` package's transport: every call bounded, every error typed."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
import websocket
from kubernetes import client as api
from kubernetes import config

from gitops_e2e.deeds import Applied, tell
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import errors, websockets
from gitops_e2e.kube.exec import EXEC_PROTOCOLS, run_in_container
from gitops_e2e.kube.objects import Manifest, Ref, Resource, pulled_by
from gitops_e2e.kube.port_forward import FORWARD_PROTOCOLS, carry
from gitops_e2e.kube.watch import Watch

_CONNECT_BOUND = 5.0
_ANSWER_BOUND = 30.0
_FORWARD_BOUND = 10.0
_WATCH_GRACE = 10.0
_CONNECTIONS = 64
_POLL = 0.1
_AWAY = 503
_FIELD_MANAGER = "gitops-e2e"
_JSON = "application/json"
# Where the server says when to ask again, as it does while it has just begun to store a kind ("storage is
# (re)initializing"), and for reading alone. Nothing else is tried again here.
_WHEN_TOLD = urllib3.Retry(
    10, connect=0, read=0, redirect=0, other=0, allowed_methods={"GET"}, raise_on_status=False, retry_after_max=5
)
_MERGE_PATCH = "application/merge-patch+json"
_APPLY_PATCH = "application/apply-patch+yaml"


class Kube:
    """One API server, as one user. Safe to share between threads.

    Where there are `labels`, every object that is made gets them, and what has none of them is somebody else's: it is
    not applied to. (Who makes an object of the same name between the look and the apply is not seen.) Where there is a
    `pull_secret`, pods that are made are pulled for by the Secret of that name in their namespace.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        pull_secret: str = "",
    ) -> None:
        settings = api.Configuration()
        try:
            config.load_kube_config(str(kubeconfig), context, client_configuration=settings)
        except (config.ConfigException, OSError) as error:
            raise HarnessError(f"cannot use this kubeconfig: {error}", where=str(kubeconfig)) from error
        if _is_private(settings.host):
            settings.no_proxy = "*"  # a proxy of the environment is for the world outside
        settings.connection_pool_maxsize = _CONNECTIONS
        settings.retries = _WHEN_TOLD
        self.kubeconfig = kubeconfig
        self.labels = dict(labels or {})
        self._pull_secret = pull_secret
        self.host: str = settings.host
        self._client = api.ApiClient(settings)
        self._resources: dict[tuple[str, str], Resource] = {}
        self._discovery = threading.Lock()

    # --- one object

    def get(self, ref: Ref) -> Manifest:
        """The object now. Raises NotFound."""
        return self._call("GET", self._path(ref), doing=f"cannot read {ref}")

    def find(self, ref: Ref) -> Manifest | None:
        """The object now, or None where there is none."""
        try:
            return self.get(ref)
        except errors.NotFound:
            return None

    def create(self, manifest: Manifest) -> Manifest:
        """Create the object, which may leave its name to the server or, as reviews do, have none.

        Raises AlreadyExists, or KubeError when it is refused.
        """
        manifest = self._ours(manifest)
        created = self._create(manifest, {})
        tell(Applied("created", str(Ref.of(created)) if "name" in created.get("metadata", {}) else "", manifest))
        return created

    def dry_run(self, manifest: Manifest) -> Manifest:
        """What creating the object would give, defaults and admission included. Raises KubeError when it is refused."""
        return self._create(manifest, {"dryRun": "All"})

    def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply: create the object, or take over the fields that the manifest names.

        A namespace that is somebody else's is used as it is. Raises NotOurs for anything else that is.
        """
        ref = Ref.of(manifest)
        if foreign := self.find_foreign(ref):
            if ref.kind == "Namespace":
                return foreign
            raise errors.NotOurs(ref)
        manifest = self._ours(manifest)
        query = {"fieldManager": _FIELD_MANAGER, "force": "true"}
        applied = self._call(
            "PATCH", self._path(ref), query=query, body=manifest, content=_APPLY_PATCH, doing=f"cannot apply {ref}"
        )
        tell(Applied("applied", str(ref), manifest))
        return applied

    def find_foreign(self, ref: Ref) -> Manifest | None:
        """The object, where there is one that is somebody else's."""
        found = self.find(ref) if self.labels else None
        return None if found is None or self.labels.keys() & (found["metadata"].get("labels") or {}).keys() else found

    def patch(self, ref: Ref, change: Manifest, *, subresource: str | None = None) -> Manifest:
        """JSON merge patch of the object, or of its `status` when that is the subresource."""
        path = self._path(ref, subresource)
        patched = self._call("PATCH", path, body=change, content=_MERGE_PATCH, doing=f"cannot patch {ref}")
        tell(Applied("patched", str(ref), change))
        return patched

    def delete(self, ref: Ref, *, grace: int | None = None) -> None:
        """Ask for the object's deletion, its dependents' in the background; absent is fine.

        `grace` is a pod's time to end, in seconds, instead of its own; with 0 the object is gone at once.
        """
        options: Manifest = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._call("DELETE", self._path(ref), body=options, doing=f"cannot delete {ref}")
        except errors.NotFound:
            pass

    def evict(self, namespace: str, pod: str) -> None:
        """Ask the pod to go, as the drain of a node does. Raises KubeError where a disruption budget forbids it."""
        ref = Ref("v1", "Pod", pod, namespace)
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        self._call("POST", self._path(ref, "eviction"), body=eviction, doing=f"cannot evict {ref}")

    # --- many objects

    def list(self, resource: Resource, namespace: str | None = None, labels: str | None = None) -> list[Manifest]:
        """The objects of a resource, in one namespace or all, limited by a label selector."""
        return list(self.collection(resource, namespace, labels)["items"])

    def collection(self, resource: Resource, namespace: str | None = None, labels: str | None = None) -> Manifest:
        """The List object: `items`, and `metadata.resourceVersion` to watch from.

        The API leaves `apiVersion` and `kind` out of items; they are put back.
        """
        query = {"labelSelector": labels} if labels else {}
        path = resource.path(namespace)
        answer = self._call("GET", path, query=query, doing=f"cannot list {resource.plural}")
        for item in answer["items"]:
            item.update(apiVersion=resource.api_version, kind=resource.kind)
        return answer

    def watch(self, resource: Resource, version: str, *, namespace: str | None = None, seconds: int = 50) -> Watch:
        """What happens to a resource after a resource version, from now for so many seconds.

        The server ends the stream after `seconds`; one that stays silent past that ends 10 s later on this side.
        Raises Expired (list again), NotFound (no such kind) or Unreachable, here or while it is read.
        """
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        doing = f"cannot watch {resource.plural}"
        bound = seconds + _WATCH_GRACE
        response = self._open("GET", resource.path(namespace), query=query, answer_bound=bound, doing=doing)
        return Watch(response, doing=doing, seconds=bound)

    def await_absence(self, refs: Sequence[Ref], *, deadline: float) -> Sequence[Ref]:
        """Wait until none of the objects is there, or until that monotonic time; gives those that still are."""
        while (left := [ref for ref in refs if self.find(ref) is not None]) and time.monotonic() <= deadline:
            time.sleep(_POLL)
        return left

    # --- pods

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int = 200,
        previous: bool = False,
        since: datetime | None = None,
    ) -> str:
        """The last lines a container wrote, since a time. Raises KubeError while there are none to be had."""
        query = {"container": container, "tailLines": str(tail), "previous": str(previous).lower()}
        if since:
            query["sinceTime"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        path = f"/api/v1/namespaces/{namespace}/pods/{quote(pod, safe='')}/log"
        return self._raw("GET", path, query=query, doing=f"cannot read the log of {pod}").decode(errors="replace")

    def execute(self, namespace: str, pod: str, container: str, argv: Sequence[str], *, timeout: float = 30.0) -> str:
        """Run a command in a container and give what it printed, standard error included.

        `timeout` is in seconds and covers everything. Raises NotFound for a pod that is not there, Unreachable
        when the server does not answer, and KubeError when the command fails or does not end in time.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{quote(pod, safe='')}/exec"
        query = {"container": container, "command": argv, "stdout": "true", "stderr": "true"}
        return run_in_container(
            partial(self._connect, path, query, EXEC_PROTOCOLS, timeout=timeout),
            timeout=timeout,
            doing=f"cannot run {argv[0]} in pod {pod}",
        )

    def forward(self, namespace: str, pod: str, port: int, client: socket.socket) -> None:
        """Carry an open connection of this machine to a TCP port of a pod, until either end closes; see `carry`.

        It becomes non-blocking, and is not closed. Opening the way to the pod is bounded by 10 s a step. Raises
        NotFound for a pod that is not there, Unreachable when the server does not answer, and KubeError when the pod
        does not listen.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{quote(pod, safe='')}/portforward"
        doing = f"cannot forward to port {port} of pod {pod}"
        with websockets.typed(doing, timeout=_FORWARD_BOUND):
            session = self._connect(path, {"ports": port}, FORWARD_PROTOCOLS, timeout=_FORWARD_BOUND)
        try:
            carry(client, session, doing=doing)
        finally:
            session.shutdown()

    # --- the server

    def raw(self, path: str) -> bytes:
        """What the server answers to GET on any path, such as `/readyz` or `/version`."""
        return self._raw("GET", path, doing=f"cannot read {path}")

    def resource(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind, by the server's own discovery. Raises NotFound for an unknown kind."""
        key = (api_version, kind)
        with self._discovery:
            if key not in self._resources:
                self._discover(api_version)
            if key in self._resources:
                return self._resources[key]
        raise errors.NotFound(f"cannot find kind {kind}", {"code": 404, "message": f"{api_version} has no such kind"})

    def deletable(self) -> Iterator[Resource]:
        """Every resource that can be listed and deleted, in the version that the server prefers.

        Those of a server behind this one that is away are left out.
        """
        groups = self._call("GET", "/apis", doing="cannot find APIs")["groups"]
        for version in ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]:
            try:
                entries = self._entries(version)
            except errors.KubeError as error:
                if error.code != _AWAY:
                    raise
                continue
            yield from (_resource(version, each) for each in entries if {"list", "delete"} <= set(each["verbs"]))

    def _discover(self, api_version: str) -> None:
        for entry in self._entries(api_version):
            self._resources[(api_version, entry["kind"])] = _resource(api_version, entry)

    def _entries(self, api_version: str) -> Sequence[Manifest]:
        """What the server says of the resources of an API version, subresources left out."""
        root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
        entries = self._call("GET", root, doing=f"cannot find API {api_version}")["resources"]
        return [entry for entry in entries if "/" not in entry["name"]]

    # --- transport

    def _ours(self, manifest: Manifest) -> Manifest:
        return pulled_by(self._pull_secret, self._labelled(manifest)) if self._pull_secret else self._labelled(manifest)

    def _labelled(self, manifest: Manifest) -> Manifest:
        if not self.labels or "metadata" not in manifest:  # as a review, which must have none
            return manifest
        metadata = manifest.get("metadata", {})
        return {**manifest, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **self.labels}}}

    def _create(self, manifest: Manifest, query: Mapping[str, str]) -> Manifest:
        metadata = manifest.get("metadata", {})
        ref = Ref(manifest["apiVersion"], manifest["kind"], metadata.get("name", ""), metadata.get("namespace"))
        path = self._place(ref).path(ref.namespace)
        return self._call("POST", path, query=query, body=manifest, doing=f"cannot create {ref}")

    def _path(self, ref: Ref, subresource: str | None = None) -> str:
        return self._place(ref).path(ref.namespace, quote(ref.name, safe=""), subresource)

    def _place(self, ref: Ref) -> Resource:
        resource = self.resource(ref.api_version, ref.kind)
        if resource.namespaced and not ref.namespace:
            raise HarnessError(f"{ref} names no namespace", remedy="say in which namespace it lives")
        return resource

    def _call(self, method: str, path: str, *, doing: str, **request: Any) -> Manifest:
        answer: Manifest = json.loads(self._raw(method, path, doing=doing, **request))
        return answer

    def _raw(self, method: str, path: str, *, doing: str, **request: Any) -> bytes:
        response = self._open(method, path, doing=doing, **request)
        return _body(response, doing)

    def _open(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content: str = _JSON,
        answer_bound: float = _ANSWER_BOUND,
    ) -> urllib3.BaseHTTPResponse:
        """The answer, its body unread. Below the generated API: that one buffers and would encode bodies twice."""
        try:
            response: urllib3.BaseHTTPResponse = self._client.rest_client.pool_manager.request(
                method,
                self.host + path + (f"?{urlencode(query)}" if query else ""),
                headers=self._headers(method, path, content),
                body=json.dumps(body).encode() if body is not None else None,
                timeout=urllib3.Timeout(connect=_CONNECT_BOUND, read=answer_bound),
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise errors.Unreachable(doing, error) from error
        if response.status >= 300:
            raise errors.from_response(doing, response.status, _body(response, doing))
        return response

    def _connect(
        self, path: str, query: Mapping[str, Any], protocols: Sequence[str], *, timeout: float
    ) -> websocket.WebSocket:
        return websockets.connect(
            f"{self.host}{path}?{urlencode(query, doseq=True)}",
            self._trust,
            self._headers("GET", path, _JSON),
            protocols,
            no_proxy=self._client.configuration.no_proxy,
            timeout=timeout,
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return websockets.tls(self._client.configuration)

    def _headers(self, method: str, path: str, content: str) -> dict[str, str]:
        headers = {"Accept": _JSON, "Content-Type": content, "User-Agent": _FIELD_MANAGER}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        return headers


def _resource(api_version: str, entry: Manifest) -> Resource:
    return Resource(api_version, entry["kind"], entry["name"], bool(entry["namespaced"]))


def _body(response: urllib3.BaseHTTPResponse, doing: str) -> bytes:
    try:
        return response.read()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        response.close()
        raise errors.Unreachable(doing, error) from error
    finally:
        response.release_conn()


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"
