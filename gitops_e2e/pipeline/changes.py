"""Changes to a pipeline's manifests: each one is a commit on main, with its sentence as the message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.names import SERVICE

ROLLOUT = "base/rollout.yaml"
CANARY_CHECK = "base/analysis-template.yaml"
MEMORY_CHECK = "stages/prod/canary-check.yaml"
_STRESS = "stress-sidecar.yaml"


class ChangeError(HarnessError):
    """The manifests do not hold what the change is about."""


@dataclass(frozen=True)
class Change:
    """One change: what it is in a sentence, and how it is made in a checkout of main."""

    sentence: str
    make: Callable[[Path], None]


def edited(path: str, edit: Callable[[Manifest], None], sentence: str) -> Change:
    """A change of one manifest, made on its parsed YAML (the file's comments are lost)."""

    def make(main: Path) -> None:
        file = main / path
        if not file.is_file():
            raise ChangeError(f"cannot change {path}: main has no such file", where=str(main))
        manifest = yaml.safe_load(file.read_text())
        edit(manifest)
        file.write_text(yaml.safe_dump(manifest, sort_keys=False, width=1000))

    return Change(sentence, make)


def pauses(seconds: int) -> Change:
    """Each pause of the canary takes that long."""

    def edit(rollout: Manifest) -> None:
        for step in rollout["spec"]["strategy"]["canary"]["steps"]:
            if "pause" in step:
                step["pause"]["duration"] = f"{seconds}s"

    return edited(ROLLOUT, edit, f"Pause {seconds} s between the canary's steps")


def progress_deadline(seconds: int) -> Change:
    """A canary may take that long without progress."""

    def edit(rollout: Manifest) -> None:
        rollout["spec"]["progressDeadlineSeconds"] = seconds

    return edited(ROLLOUT, edit, f"Give up a canary without progress after {seconds} s")


def environment(name: str, value: str) -> Change:
    """The service runs with that environment variable: one of its fault switches, say."""

    def edit(rollout: Manifest) -> None:
        service = _service(rollout)
        others = [variable for variable in service.get("env", []) if variable["name"] != name]
        service["env"] = [*others, {"name": name, "value": value}]

    return edited(ROLLOUT, edit, f"Run {SERVICE} with {name}={value}")


def never_ready() -> Change:
    """The service's pods start and never become ready."""

    def edit(rollout: Manifest) -> None:
        _service(rollout)["readinessProbe"]["httpGet"]["path"] = "/there-is-no-such-path"

    return edited(ROLLOUT, edit, "Ask for readiness where no release answers")


def flaps(seconds: int) -> Change:
    """The service's pods are ready and unready by turns, for so long after they were asked first; then ready."""
    # Four seconds each: such a pod is unready when three of its probes have failed, one a second.
    script = (
        "test -e /tmp/asked || date +%s > /tmp/asked; age=$(( $(date +%s) - $(cat /tmp/asked) )); "
        f"test $age -ge {seconds} -o $(( age / 4 % 2 )) -eq 1"
    )

    def edit(rollout: Manifest) -> None:
        probe = _service(rollout)["readinessProbe"]
        del probe["httpGet"]
        probe["failureThreshold"] = 3
        probe["exec"] = {"command": ["sh", "-c", script]}

    return edited(ROLLOUT, edit, f"Be ready and unready by turns for {seconds} s")


def no_pods() -> Change:
    """The Rollout runs no pods: what is deployed can still be told by its manifest."""

    def edit(rollout: Manifest) -> None:
        rollout["spec"]["replicas"] = 0

    return edited(ROLLOUT, edit, f"Run no pods of {SERVICE}")


def one_bare_pod() -> Change:
    """The Rollout runs one pod with the service alone, which is ready without its cache."""

    def edit(rollout: Manifest) -> None:
        service = _service(rollout)
        service["readinessProbe"]["httpGet"]["path"] = "/health"
        rollout["spec"]["replicas"] = 1
        rollout["spec"]["template"]["spec"]["containers"] = [service]

    return edited(ROLLOUT, edit, f"Run one pod of {SERVICE}, without sidecars")


def config_map(name: str) -> Change:
    """Every stage has a ConfigMap of that name, which nobody uses."""
    metadata = {"name": name}

    def make(main: Path) -> None:
        config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"for": "nobody"}}
        (main / f"base/{name}.yaml").write_text(yaml.safe_dump(config_map))
        _resources(lambda resources: resources.append(f"{name}.yaml")).make(main)

    return Change(f"Have a ConfigMap {name}", make)


def no_config_map(name: str) -> Change:
    """No stage has that ConfigMap any more."""

    def make(main: Path) -> None:
        (main / f"base/{name}.yaml").unlink()
        _resources(lambda resources: resources.remove(f"{name}.yaml")).make(main)

    return Change(f"Take the ConfigMap {name} out", make)


def _resources(edit: Callable[[list[str]], None]) -> Change:
    return edited("base/kustomization.yaml", lambda base: edit(base["resources"]), "Change what base consists of")


def no_stress_sidecar(stage: str = "prod") -> Change:
    """The stage's pods no longer carry the sidecar that allocates memory."""
    overlay = f"stages/{stage}/kustomization.yaml"

    def edit(kustomization: Manifest) -> None:
        patches: list[dict[str, Any]] = kustomization["patches"]
        kept = [patch for patch in patches if patch.get("path") != _STRESS]
        if len(kept) == len(patches):
            raise ChangeError(f"stage {stage} carries no stress sidecar", where=overlay)
        kustomization["patches"] = kept

    return edited(overlay, edit, f"Take the stress sidecar out of {stage}")


def memory_metric(name: str) -> Change:
    """Prod's canary check asks for another metric than the working set."""

    def edit(template: Manifest) -> None:
        prometheus = _prometheus(template)
        prometheus["query"] = prometheus["query"].replace("container_memory_working_set_bytes", name)

    return edited(MEMORY_CHECK, edit, f"Judge prod's canary by {name}")


def no_canary_metric(name: str) -> Change:
    """The canary of dev and staging is not judged by that metric."""

    def edit(template: Manifest) -> None:
        metrics = template["spec"]["metrics"]
        kept = [metric for metric in metrics if metric["name"] != name]
        if len(kept) == len(metrics):
            raise ChangeError(f"the canary check has no metric {name}", where=CANARY_CHECK)
        template["spec"]["metrics"] = kept

    return edited(CANARY_CHECK, edit, f"Judge no canary by {name}")


def prometheus_address(url: str) -> Change:
    """Prod's canary check asks at another address."""

    def edit(template: Manifest) -> None:
        _prometheus(template)["address"] = url

    return edited(MEMORY_CHECK, edit, f"Ask {url} about prod's canary")


def _service(rollout: Manifest) -> dict[str, Any]:
    for container in rollout["spec"]["template"]["spec"]["containers"]:
        if container["name"] == SERVICE:
            found: dict[str, Any] = container
            return found
    raise ChangeError(f"the Rollout has no container {SERVICE}", where=ROLLOUT)


def _prometheus(template: Manifest) -> dict[str, Any]:
    provider: dict[str, Any] = template["spec"]["metrics"][0]["provider"]["prometheus"]
    return provider
