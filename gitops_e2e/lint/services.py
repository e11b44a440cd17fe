"""Services: that those which are named are there, and lead to the pods that they should."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.analysis import KIND as ANALYSIS_TEMPLATE
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Place, texts, value_at
from gitops_e2e.lint.finding import Finding, once_a_line
from gitops_e2e.lint.manifests import Located
from gitops_e2e.lint.renders import Rendered, Renders
from gitops_e2e.lint.wording import use_instead

_IN_CLUSTER = re.compile(r"(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(\.cluster\.local)?")
_STRATEGIES = {"canary": ("stableService", "canaryService"), "blueGreen": ("activeService", "previewService")}
_USUAL_PORTS = {"http": 80, "https": 443}


def check(checkout: Checkout, renders: Renders) -> Iterator[Finding]:
    """Those that Rollouts steer, and those that analyses ask."""
    for rollout in (each for each in renders.objects if each.manifest["kind"] == "Rollout"):
        yield from _services(rollout, renders)
    yield from once_a_line(_urls(checkout, renders))


def _services(rollout: Rendered, renders: Renders) -> Iterator[Finding]:
    """The Services that a Rollout steers are there, and select its pods."""
    services = {each.manifest["metadata"]["name"]: each for each in renders.of_stage(rollout.stage, "Service")}
    labels = value_at(rollout.manifest, ("spec", "template", "metadata", "labels"), {})
    ports = {
        port.get("name")
        for container in value_at(rollout.manifest, ("spec", "template", "spec", "containers"), [])
        for port in container.get("ports", [])
    }
    for place, name in _service_fields(rollout.manifest):
        if name not in services:
            yield rollout.find(place, f"there is no Service {name}", use_instead(name, services))
            continue
        service = services[name]
        for key, value in value_at(service.manifest, ("spec", "selector"), {}).items():
            if labels.get(key) != value:
                what = (
                    f"Service {name} selects {key}={value}, and no pod of {rollout.manifest['metadata']['name']} has it"
                )
                yield service.find(("spec", "selector", key), what, f"use {key}={labels.get(key)}, or label the pods")
        for index, port in enumerate(value_at(service.manifest, ("spec", "ports"), [])):
            target = port.get("targetPort")
            if isinstance(target, str) and target not in ports:
                what = f"Service {name} leads to port {target}, which no container has"
                yield service.find(
                    ("spec", "ports", index, "targetPort"), what, use_instead(target, filter(None, ports))
                )


def _service_fields(rollout: Manifest) -> Iterator[tuple[Place, str]]:
    for strategy, fields in _STRATEGIES.items():
        for field in fields:
            place = ("spec", "strategy", strategy, field)
            if name := value_at(rollout, place):
                yield place, name


def _urls(checkout: Checkout, renders: Renders) -> Iterator[Finding]:
    """Services that analyses ask, in the namespaces of the stages."""
    services = {
        (each.manifest["metadata"].get("namespace", ""), each.manifest["metadata"]["name"]): each.manifest
        for each in renders.objects
        if each.manifest["kind"] == "Service"
    }
    of_kargo: Sequence[tuple[Located, str]] = [(each, "") for each in checkout.of_kargo(ANALYSIS_TEMPLATE).values()]
    of_stages = [
        (each, each.manifest["metadata"].get("namespace", ""))
        for each in renders.objects
        if each.manifest["kind"] == ANALYSIS_TEMPLATE
    ]
    for template, own in (*of_kargo, *of_stages):
        for place, text in texts(template.manifest["spec"], ("spec",)):
            if place[-1] in {"url", "address"}:
                yield from _url(template, place, text.replace("{{args.namespace}}", own), services)


def _url(template: Located, place: Place, url: str, services: Mapping[tuple[str, str], Manifest]) -> Iterator[Finding]:
    host = _IN_CLUSTER.fullmatch(urlsplit(url).hostname or "") if "{{" not in url else None
    if host is None or host["namespace"] not in {namespace for namespace, _ in services}:
        return  # not in this pipeline
    there = {name for namespace, name in services if namespace == host["namespace"]}
    if host["service"] not in there:
        what = f"there is no Service {host['service']} in {host['namespace']}"
        yield template.find(place, what, use_instead(host["service"], there))
        return
    ports = [port["port"] for port in services[host["namespace"], host["service"]]["spec"]["ports"]]
    port = urlsplit(url).port or _USUAL_PORTS.get(urlsplit(url).scheme, _USUAL_PORTS["http"])
    if port not in ports:
        what = f"Service {host['service']} has no port {port}"
        yield template.find(place, what, f"use port {' or '.join(map(str, ports))}")
