"""The account that the engine acts with inside a pod."""

from __future__ import annotations

import json
import os
from pathlib import Path

from gitops_e2e.errors import HarnessError

MOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts a pod's service account: `token` and `ca.crt`."""


def in_cluster_kubeconfig(folder: Path, mount: Path = MOUNT) -> Path:
    """Write a kubeconfig for the pod's service account into a folder. Raises HarnessError outside of a pod."""
    try:
        address = f"{_bracketed(os.environ['KUBERNETES_SERVICE_HOST'])}:{os.environ['KUBERNETES_SERVICE_PORT']}"
    except KeyError as missing:
        raise HarnessError(f"this is no pod: {missing} is not set", remedy="name a file with --kubeconfig") from missing
    name = "in-cluster"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": f"https://{address}", "certificate-authority": str(mount / "ca.crt")},
            }
        ],
        "users": [{"name": name, "user": {"tokenFile": str(mount / "token")}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
