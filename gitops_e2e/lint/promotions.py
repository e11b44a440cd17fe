"""Promotions: whether what their steps name outside of Kargo is there, and whether both sides say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.applications import Application, applications
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Document, Place, value_at
from gitops_e2e.lint.finding import Finding, once_a_line
from gitops_e2e.lint.promoted_steps import PromotedStep, promoted
from gitops_e2e.lint.renders import Renders
from gitops_e2e.lint.wording import use_instead
from gitops_e2e.promoter.api.urls import normalized_git_url
from gitops_e2e.promoter.expressions import Evaluator


def check(checkout: Checkout, renders: Renders, evaluator: Evaluator) -> Iterator[Finding]:
    """The steps of every stage, with the configuration that they will have."""
    made = applications(checkout)
    findings: list[Finding] = []
    for stage in checkout.of_kargo("Stage").values():
        steps = promoted(stage, checkout, evaluator)
        findings += _images(stage, steps, checkout, renders)
        findings += _updates(stage, steps, made)
        findings += _paths(steps, checkout)
    yield from once_a_line(findings)


def _images(stage: Document, steps: Sequence[PromotedStep], checkout: Checkout, renders: Renders) -> Iterator[Finding]:
    """The image that Freight is made of is the one that a promotion sets, and the one that the stage runs."""
    warehouses = checkout.of_kargo("Warehouse")
    origins = [request["origin"]["name"] for request in stage.manifest["spec"]["requestedFreight"]]
    subscribed = {
        subscription["image"]["repoURL"]
        for origin in origins
        if origin in warehouses
        for subscription in warehouses[origin].manifest["spec"]["subscriptions"]
        if "image" in subscription
    }
    run = {
        _repository(container["image"])
        for rollout in renders.of_stage(stage.manifest["metadata"]["name"], "Rollout")
        for container in value_at(rollout.manifest, ("spec", "template", "spec", "containers"), [])
    }
    for step in steps:
        for url in step.images:
            if subscribed and url not in subscribed:
                what = f"no Warehouse of the stages' Freight looks for image {url}"
                yield step.find("config", what, use_instead(url, subscribed))
        if step.uses != "kustomize-set-image":
            continue
        for index, image in enumerate(step.config.get("images") or []):
            url = image.get("image")
            if run and isinstance(url, str) and url not in run:
                what = f"no container runs image {url}, so setting it changes nothing"
                yield step.find(("config", "images", index, "image"), what, use_instead(url, run))


def _repository(image: str) -> str:
    """An image's address without its tag and digest."""
    return re.sub(r":[^:/]+$", "", image.partition("@")[0])


def _updates(stage: Document, steps: Sequence[PromotedStep], made: Sequence[Application]) -> Iterator[Finding]:
    """A promotion syncs an Application that lets the stage do so and follows the branch that it pushes to."""
    by_name = {application.name: application for application in made}
    metadata = stage.manifest["metadata"]
    own = f"{metadata.get('namespace')}:{metadata['name']}"
    branches = {branch for step in steps for branch in step.branches}
    for step in steps:
        if step.uses != "argocd-update" or not made:
            continue
        for index, app in enumerate(step.config.get("apps") or []):
            place: tuple[str | int, ...] = ("config", "apps", index)
            application = by_name.get(app.get("name", ""))
            if application is None:
                what = f"there is no Application {app.get('name')} to update"
                yield step.find((*place, "name"), what, use_instead(str(app.get("name")), by_name))
                continue
            if application.authorized_stage != own:
                let = application.authorized_stage or "none"
                what = f"stage {own} updates Application {application.name}, which lets {let} change it"
                yield step.find((*place, "name"), what, "mend the name, or the Application's annotation")
                continue
            revision = application.at("spec", "source", "targetRevision")
            if branches and revision and revision not in branches:
                what = f"Application {application.name} follows {revision}, which no step checks out"
                yield application.find(("spec", "source", "targetRevision"), what, use_instead(revision, branches))
            yield from _sources(step, (*place, "sources"), app, application)


def _sources(step: PromotedStep, place: Place, app: Manifest, application: Application) -> Iterator[Finding]:
    url = application.at("spec", "source", "repoURL")
    for index, source in enumerate(app.get("sources") or []):
        if url and normalized_git_url(str(source.get("repoURL"))) != normalized_git_url(url):
            what = f"Application {application.name} has no source {source.get('repoURL')}"
            yield step.find((*place, index, "repoURL"), what, f"use {url}")


def _paths(steps: Sequence[PromotedStep], checkout: Checkout) -> Iterator[Finding]:
    """What is built from a clone is in `manifests/`, which is what the repository holds."""
    clones = [path for step in steps for path in step.clones]
    for step in steps:
        if step.uses not in {"kustomize-build", "kustomize-set-image"}:
            continue
        path = _normal(step.config.get("path"))
        for clone in clones:
            inside = path.removeprefix(f"{clone}/")
            if inside != path and not (checkout.root / "manifests" / inside).is_dir():
                folders = (each for each in (checkout.root / "manifests").rglob("*") if each.is_dir())
                known = [str(each.relative_to(checkout.root / "manifests")) for each in folders]
                what = f"there is no folder manifests/{inside} for the path {step.config.get('path')}"
                yield step.find(("config", "path"), what, use_instead(inside, known))


def _normal(path: Any) -> str:
    return str(path).removeprefix("./").rstrip("/")
