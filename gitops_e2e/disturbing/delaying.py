"""A proxy in front of a component that lets each new connection wait: the component, slow to answer."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_e2e.components.component import Component
from gitops_e2e.disturbing.leading import ELSEWHERE
from gitops_e2e.kube import Kube, Manifest, Ref, running_pod

IMAGE = "haproxy"

_NOBODY = 65534
_SETTINGS = """\
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
"""
_ENDS_BY_ITSELF = 1800


def proxies(kube: Kube, component: Component, *, image: str, seconds: int) -> Iterator[Manifest]:
    """A pod for each Service of the component, to which the Service may be led; they end by themselves in time.

    Raises NoRunningPod where nothing is behind one of them.
    """
    for service in component.services():
        behind = _pod_behind(kube, service)
        ports = [_target_port(port) for port in service["spec"]["ports"]]
        settings = _SETTINGS + "".join(_listener(port, behind, seconds) for port in ports)
        yield _proxy(Ref.of(service), settings, ports, image)


def _pod_behind(kube: Kube, service: Manifest) -> str:
    ref = Ref.of(service)
    pod = running_pod(kube, service["metadata"]["namespace"], service["spec"]["selector"], of=str(ref))
    return str(pod["status"]["podIP"])


def _target_port(port: Manifest) -> int:
    return int(port["targetPort"] if "targetPort" in port else port["port"])


def _listener(port: int, behind: str, seconds: int) -> str:
    # WAIT_END is true when the delay is over, and not before.
    return f"""\
listen port-{port}
  bind :{port}
  tcp-request inspect-delay {seconds}s
  tcp-request content accept if WAIT_END
  server component {behind}:{port}
"""


def _proxy(service: Ref, settings: str, ports: list[int], image: str) -> Manifest:
    container = {
        "name": "proxy",
        "image": image,
        "command": ["sh", "-c", 'printf %s "$SETTINGS" > /tmp/settings && exec haproxy -db -f /tmp/settings'],
        "env": [{"name": "SETTINGS", "value": settings}],
        "readinessProbe": {"tcpSocket": {"port": ports[0]}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"slow-{service.name}",
            "namespace": service.namespace,
            "labels": {ELSEWHERE: service.name},
        },
        "spec": {
            "activeDeadlineSeconds": _ENDS_BY_ITSELF,
            "automountServiceAccountToken": False,
            "securityContext": {"runAsUser": _NOBODY, "runAsGroup": _NOBODY},
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        },
    }
