"""Requests to a Service of a stage, by the load tool hey in a pod: bounded in rate, and ended by itself."""

from __future__ import annotations

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.reading import tag_of

_IMAGE = "hey"
_SECONDS = 300


def put_under_load(pipeline: Pipeline, stage: str, service: str, *, rate: int) -> None:
    """Let so many requests for products a second come to the Service, on fresh connections, for five minutes.

    The Job goes with the stage's namespace. Raises KubeError, and what publishing the image raises.
    """
    platform, names = pipeline.platform, pipeline.names
    tag = tag_of(platform.images.reference(_IMAGE))
    platform.images.publish(names.image_path(_IMAGE), _IMAGE, tag)
    namespace = names.namespace(stage)
    url = f"http://{service}.{namespace}.svc.cluster.local:3000/products"
    platform.kube.create(_job(f"load-of-{service}", namespace, f"{names.image_repository(_IMAGE)}:{tag}", url, rate))


def _job(name: str, namespace: str, image: str, url: str, rate: int) -> Manifest:
    # One worker for each request a second, so that slow answers do not make fewer requests. A connection that is kept
    # would go on leading to the pod that it was made to, whatever becomes of the Service.
    arguments = ["-z", f"{_SECONDS}s", "-c", str(rate), "-q", "1", "-disable-keepalive", url]
    container = {
        "name": _IMAGE,
        "image": image,
        "args": arguments,
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _SECONDS + 60,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 1,
                    "containers": [container],
                }
            },
        },
    }
