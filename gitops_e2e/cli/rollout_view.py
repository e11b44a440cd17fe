"""A rollout as one picture: where it stands, its steps, ReplicaSets with pods, and what was measured."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from gitops_e2e.pipeline.analysis import AnalysisRun, Measurement, MetricResult
from gitops_e2e.pipeline.pods import Pod
from gitops_e2e.pipeline.reading import short_image
from gitops_e2e.pipeline.replica_sets import ReplicaSet
from gitops_e2e.pipeline.rollout import Rollout
from gitops_e2e.pipeline.update import Update

_GOOD, _BAD, _UNDER_WAY = "green", "red", "yellow"
_STYLES = {
    **dict.fromkeys(("Healthy", "Successful", "ready"), _GOOD),
    **dict.fromkeys(("Degraded", "Failed", "Error", "Inconclusive"), _BAD),
}
_MARKS = {_GOOD: "✔", _BAD: "✖", _UNDER_WAY: "◌"}


def view(update: Update, seconds: float) -> RenderableType:
    """The picture of an update that was looked at for so many seconds."""
    return Group(_head(update, seconds), Text(""), _tree(update))


def _head(update: Update, seconds: float) -> Table:
    rollout = update.rollout
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_row("Rollout", f"{rollout.name} in {rollout.namespace}")
    rows.add_row("Status", _said(rollout.phase or "Unknown", rollout.message))
    rows.add_row("Step", f"{rollout.step} of {len(update.steps)}, weight {rollout.weight}, watched for {seconds:.0f} s")
    rows.add_row("", _steps(update))
    rows.add_row("Replicas", f"{rollout.replicas} wanted, {rollout.available} available")
    return rows


def _steps(update: Update) -> Text:
    """All steps in a row: done, the present one, to come."""
    line = Text()
    for index, step in enumerate(update.steps):
        if index:
            line.append(" → ")
        if update.rollout.aborted or index > update.rollout.step:
            line.append(step, "dim")
        elif index < update.rollout.step:
            line.append(f"✔ {step}", _GOOD)
        else:
            line.append(f"▶ {step}", f"bold {_UNDER_WAY}")
    return line


def _tree(update: Update) -> Tree:
    rollout = update.rollout
    tree = Tree(_said(rollout.phase or "Unknown", rollout.name))
    for each in sorted(rollout.replica_sets, key=_revision, reverse=True):
        if each.replicas or each.desired or each.release in {rollout.release, rollout.stable_release}:
            branch = tree.add(_replica_set(each, rollout))
            if each.release == rollout.release:
                for run in update.analyses:
                    _add_analysis(branch, run)
            for pod in sorted(rollout.pods_of(each.release), key=lambda pod: pod.name):
                branch.add(_pod(pod))
    return tree


def _revision(replica_set: ReplicaSet) -> int:
    return int(replica_set.revision or 0)


def _replica_set(each: ReplicaSet, rollout: Rollout) -> Text:
    roles = [
        role
        for role, release in (("stable", rollout.stable_release), ("canary", rollout.release))
        if release == each.release
    ]
    role = roles[0] if roles else "old"
    images = ", ".join(map(short_image, each.images))
    return Text(f"revision {each.revision} {role}  {each.name}  {each.ready} of {each.desired} ready  {images}")


def _pod(pod: Pod) -> Text:
    restarts = sum(container.restarts for container in pod.containers)
    line = _said(pod.state, f"Pod {pod.name}")
    return line.append(f"  {restarts} restarts", _UNDER_WAY) if restarts else line


def _add_analysis(branch: Tree, run: AnalysisRun) -> None:
    at = "" if run.step is None else f"  step {run.step}"
    node = branch.add(_said(run.phase or "Pending", f"AnalysisRun {run.name}{at}  {run.message}".rstrip()))
    for metric in run.metrics:
        node.add(_metric(metric))


def _metric(metric: MetricResult) -> Text:
    line = Text(f"{metric.name}: " + ("" if metric.measurements else "not measured yet"))
    for index, measurement in enumerate(metric.measurements):
        line.append(", " if index else "")
        line.append(_measured(measurement), _STYLES.get(measurement.phase, _UNDER_WAY))
    return line.append(" (dry run)", "dim") if metric.dry_run else line


def _measured(measurement: Measurement) -> str:
    return " ".join(filter(None, (measurement.value or measurement.message, measurement.phase)))


def _said(state: str, words: str) -> Text:
    """A state with its mark, and the words that go with it."""
    style = _STYLES.get(state, _UNDER_WAY)
    return Text.assemble((f"{_MARKS[style]} {state}", style), f"  {words}" if words else "")
