"""Pods whose processes get no time for a while, as on a machine that swaps: they are stopped, then they go on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gitops_e2e.kube import Manifest

_FROZEN = "/frozen"
# /proc/PID/cgroup tells which container a process is of. Whoever deletes the pod, its trap lets them go on.
_FREEZE = """\
for process in /proc/[0-9]*; do
  of=$(cat "$process/cgroup" 2>/dev/null) || continue
  for container in "$@"; do
    case "$of" in *"$container"*) frozen="$frozen ${process#/proc/}" ;; esac
  done
done
[ -n "$frozen" ] || { echo "no process is of $*" >&2; exit 1; }
trap 'kill -s CONT $frozen' EXIT
trap 'exit 1' TERM
kill -s STOP $frozen
touch "$FROZEN"
sleep "$SECONDS_FROZEN" &
wait
"""


def freezers(pods: Sequence[Manifest], *, image: str, seconds: int) -> list[Manifest]:
    """A pod for each node with pods that are to be stopped, which is ready once they are, and ends when they go on.

    It sees the node's processes. The image has a shell.
    """
    by_node = groupby(sorted(pods, key=_node), key=_node)
    return [_freezer(node, list(group), image, seconds) for node, group in by_node]


def _node(pod: Manifest) -> str:
    return str(pod["spec"]["nodeName"])


def _freezer(node: str, pods: list[Manifest], image: str, seconds: int) -> Manifest:
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses") or []]
    containers = [str(each["containerID"]).rpartition("/")[2] for each in statuses if each.get("containerID")]
    container = {
        "name": "freezer",
        "image": image,
        "command": ["sh", "-c", _FREEZE, "freeze", *containers],
        "env": [{"name": "SECONDS_FROZEN", "value": str(seconds)}, {"name": "FROZEN", "value": _FROZEN}],
        "readinessProbe": {"exec": {"command": ["test", "-e", _FROZEN]}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "freezer-",
            "namespace": pods[0]["metadata"]["namespace"],
            "labels": {"gitops-e2e/freezes": node},
        },
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
        },
    }
