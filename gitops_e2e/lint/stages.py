"""Stages: a folder of manifests, an Application and a Stage of Kargo each, which agree with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from gitops_e2e.lint.applications import AUTHORIZED_STAGE, Application, applications, unknown_fields
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Place, value_at
from gitops_e2e.lint.finding import Finding, once_a_line
from gitops_e2e.lint.renders import Renders
from gitops_e2e.lint.wording import use_instead
from gitops_e2e.promoter.api.policies import PREFIXED, auto_promotion_enabled

_REQUESTED: Place = ("spec", "requestedFreight")


def check(checkout: Checkout, renders: Renders) -> Iterator[Finding]:
    """The stages in all three places, and what Kargo's other resources say of them."""
    made = applications(checkout)
    yield from once_a_line(unknown_fields(checkout))
    yield from _agreement(checkout, made)
    yield from once_a_line(_authorized(checkout, made))
    yield from _namespaces(renders, made)
    yield from _project(checkout)
    yield from _policies(checkout)
    yield from _requested_freight(checkout)


def _agreement(checkout: Checkout, made: Sequence[Application]) -> Iterator[Finding]:
    """A stage is a folder of manifests, an element of the ApplicationSet, and a Stage of Kargo."""
    kargo = checkout.of_kargo("Stage")
    for application in made:
        find = application.document.find
        if application.stage not in checkout.stages:
            what = f"stage {application.stage} has no folder in manifests/stages"
            yield find((*application.element, "stage"), what, use_instead(application.stage, checkout.stages))
        if kargo and application.stage not in kargo:
            what = f"kargo/ has no Stage {application.stage}"
            yield find((*application.element, "stage"), what, use_instead(application.stage, kargo))
    known = {application.stage for application in made}
    if not made:
        return
    for stage in checkout.stages:
        if stage not in known:
            what = f"no Application is made for stage {stage}, which has a folder in manifests/stages"
            yield made[0].document.find(made[0].element[:-1], what, f"add the element: stage: {stage}")


def _authorized(checkout: Checkout, made: Sequence[Application]) -> Iterator[Finding]:
    """An Application names the one stage that may change it."""
    stages = {
        f"{each.manifest['metadata'].get('namespace')}:{name}" for name, each in checkout.of_kargo("Stage").items()
    }
    for application in made:
        authorized = application.authorized_stage
        if stages and not authorized:
            what = f"no stage may change Application {application.name}, as it has no annotation {AUTHORIZED_STAGE}"
            yield application.find_annotation(what, "add it, as <project>:<stage>")
        elif stages and authorized not in stages:
            what = f"Application {application.name} lets {authorized} change it, and that is no Stage of kargo/"
            yield application.find_annotation(what, use_instead(authorized, stages))


def _namespaces(renders: Renders, made: Sequence[Application]) -> Iterator[Finding]:
    """What kustomize puts into a namespace is deployed to it."""
    for application, rendered in product(made, renders.objects):
        wanted = application.at("spec", "destination", "namespace")
        namespace = rendered.manifest["metadata"].get("namespace", wanted)
        if rendered.stage == application.stage and namespace != wanted:
            place = ("spec", "destination", "namespace")
            what = f"Application {application.name} deploys to {wanted}, and stage {rendered.stage} renders {namespace}"
            yield application.find(place, what, "mend it, or namespace in the stage's kustomization.yaml")


def _project(checkout: Checkout) -> Iterator[Finding]:
    """Everything is in the Project's namespace, and its ProjectConfig has its name."""
    projects = checkout.of_kargo("Project")
    for document in checkout.kargo:
        metadata = document.manifest.get("metadata") or {}
        if not projects or document.manifest.get("kind") == "Project":
            continue
        if metadata.get("namespace") not in projects:
            what = f"{document.manifest.get('kind')} {metadata.get('name')} is in namespace {metadata.get('namespace')}"
            mend = f"use the Project's: {', '.join(projects)}"
            yield document.find(("metadata", "namespace"), f"{what}, which is no Project", mend)
        if document.manifest.get("kind") == "ProjectConfig" and metadata.get("name") not in projects:
            what = f"no Project has the name of ProjectConfig {metadata.get('name')}"
            yield document.find(("metadata", "name"), what, use_instead(str(metadata.get("name")), projects))


def _policies(checkout: Checkout) -> Iterator[Finding]:
    """A promotion policy speaks of a stage that is there."""
    stages = checkout.of_kargo("Stage")
    for config in checkout.of_kargo("ProjectConfig").values():
        for index, policy in enumerate(value_at(config.content, ("spec", "promotionPolicies")) or []):
            place: Place = ("spec", "promotionPolicies", index)
            name = policy.get("stage") or (policy.get("stageSelector") or {}).get("name", "")
            field = ("stage",) if "stage" in policy else ("stageSelector", "name")
            alone = {"spec": {"promotionPolicies": [{**policy, "autoPromotionEnabled": True}]}}
            if any(auto_promotion_enabled(alone, stage.manifest) for stage in stages.values()):
                continue
            what = f"the policy speaks of {name or 'labels'}, and no Stage is meant by it"
            mend = "mend the pattern" if PREFIXED.fullmatch(name) else use_instead(name, stages)
            yield config.find((*place, *field), what, mend)


def _requested_freight(checkout: Checkout) -> Iterator[Finding]:
    """A stage takes Freight of a Warehouse that is there, from stages that have it."""
    stages, warehouses = checkout.of_kargo("Stage"), checkout.of_kargo("Warehouse")
    taken = {
        name: {
            request["origin"]["name"]: request["sources"].get("stages", [])
            for request in stage.manifest["spec"]["requestedFreight"]
        }
        for name, stage in stages.items()
    }
    for name, stage in stages.items():
        for index, request in enumerate(stage.manifest["spec"]["requestedFreight"]):
            origin = request["origin"]["name"]
            if origin not in warehouses:
                what = f"there is no Warehouse {origin}"
                yield stage.find((*_REQUESTED, index, "origin", "name"), what, use_instead(origin, warehouses))
            for number, upstream in enumerate(request["sources"].get("stages", [])):
                place = (*_REQUESTED, index, "sources", "stages", number)
                if upstream not in stages:
                    yield stage.find(place, f"there is no Stage {upstream}", use_instead(upstream, stages))
                elif origin not in taken[upstream]:
                    what = f"Stage {upstream} takes no Freight of Warehouse {origin}, so none comes from it"
                    yield stage.find(place, what, f"let {upstream} request it, too")
                elif name in _upstream(upstream, origin, taken):
                    what = f"Stage {name} waits for itself: its Freight comes from {upstream}, and that from {name}"
                    yield stage.find(place, what, "let one of them take Freight from elsewhere")


def _upstream(stage: str, origin: str, taken: Mapping[str, Mapping[str, Sequence[str]]]) -> set[str]:
    """The stages that Freight of a Warehouse may have been in before it comes to a stage."""
    found: set[str] = set()
    waiting = [stage]
    while waiting:
        for upstream in taken.get(waiting.pop(), {}).get(origin, []):
            if upstream not in found:
                found.add(upstream)
                waiting.append(upstream)
    return found
