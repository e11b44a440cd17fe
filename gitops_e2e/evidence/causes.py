"""From what was observed to its likely cause, and to the command that shows more.

The table is read from its top; the first row that fits is the answer. What it is compared with are the words of
controllers, the kubelet and the harness, the last observed state first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_EVENTS = "kubectl -n {namespace} get events --sort-by=.lastTimestamp"


@dataclass(frozen=True)
class Observation:
    """What is known of a failure: its words, the most telling first; and the object that it is about, if it has one.

    `object` is as kubectl takes it: "rollout/shop".
    """

    words: Sequence[str]
    namespace: str = ""
    object: str = ""


@dataclass(frozen=True)
class Explanation:
    """The likely cause, "" where none is known, and a command for a shell that shows more, "" where there is none."""

    cause: str
    command: str


@dataclass(frozen=True)
class _Row:
    pattern: str
    cause: str
    command: str


_TABLE = (
    # --- pods
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): (?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull)"
        r".*?(?P<image>[\w.-]+(?::\d+)?/[\w./-]+:[\w.-]+): not found",
        "the registry has no image {image}: it was not pushed, or the manifests name another one",
        "kubectl -n {namespace} describe pod {pod}",
    ),
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): (?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull)",
        "the image of container {container} cannot be pulled: its registry does not answer, or refuses",
        "kubectl -n {namespace} describe pod {pod}",
    ),
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): InvalidImageName",
        "the manifests name an image for container {container} that cannot be a name of one",
        "kubectl -n {namespace} describe pod {pod}",
    ),
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): CrashLoopBackOff after OOMKilled",
        "container {container} needs more memory than its limit",
        "kubectl -n {namespace} describe pod {pod}",
    ),
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): CrashLoopBackOff(?: after \w+ \(exit code (?P<code>\d+)\))?",
        "container {container} ends soon after its start, with exit code {code}: its log says why",
        "kubectl -n {namespace} logs {pod} -c {container} --previous",
    ),
    _Row(
        r"pod (?P<pod>\S+), container (?P<container>\S+): (?P<reason>Create\w+Error|RunContainerError)",
        "container {container} cannot be made: something that it refers to is missing, or its command does not exist",
        "kubectl -n {namespace} describe pod {pod}",
    ),
    _Row(
        r"(?:not scheduled|FailedScheduling).*?(?P<why>Insufficient \w+|Too many pods|untolerated taint|node affinity)",
        "no node has room for the pod: {why}",
        "kubectl describe nodes",
    ),
    # --- analyses and rollouts
    _Row(
        r"(?P<metric>\w+): (?:\d+ times )?Failed \[(?P<value>\d{8,}(?:\.\d+)?|\d\.\d+e\+\d+)[\],]",
        "a pod of the canary used {value} by the metric {metric}, more than its AnalysisTemplate allows",
        "kubectl -n {namespace} get analysisruns -o yaml",
    ),
    _Row(
        r"Error .*?(?P<why>no such host|connection refused|i/o timeout|context deadline exceeded|no route to host)",
        "the metric's provider cannot be reached at the address in the AnalysisTemplate ({why})",
        "kubectl -n {namespace} get analysisruns -o yaml",
    ),
    _Row(
        r"Prometheus does not answer",
        "Prometheus does not run, or cannot be reached from this machine",
        "kubectl -n monitoring get pods -o wide",
    ),
    _Row(
        r"reflect: slice index out of range",
        "the query found nothing, and the condition takes the first result without asking whether there is one",
        "kubectl -n {namespace} get analysisruns -o yaml",
    ),
    _Row(
        r"ProgressDeadlineExceeded",
        "the new release's pods were not ready within progressDeadlineSeconds: they do not start, or never say ready",
        "kubectl -n {namespace} describe pods",
    ),
    _Row(
        r"the verification ended (?P<phase>Failed|Error|Inconclusive|Aborted)|VerificationFailed",
        "the stage's own AnalysisTemplate judged the release that runs there, and not that it is good",
        "kubectl -n {namespace} get analysisruns -o yaml",
    ),
    _Row(
        r"[Mm]etric \"(?P<metric>[^\"]+)\" assessed (?P<phase>Failed|Error|Inconclusive)",
        "the release was judged by its metric {metric}: {phase}",
        "kubectl -n {namespace} get analysisruns -o yaml",
    ),
    _Row(
        r"InvalidSpec",
        "the Rollout refers to something that is not there, or contradicts itself",
        "kubectl -n {namespace} describe {object}",
    ),
    # --- promotions, stages, warehouses
    _Row(
        r"Errored \((?:step|an unrecoverable).*?error running step \"(?P<step>[^\"]+)\": (?P<why>[^\n;)]{1,160})",
        "step {step} of the Promotion failed, and Kargo does not try a Promotion again: {why}",
        "kubectl -n {namespace} get {object} -o yaml",
    ),
    _Row(
        r"Errored \((?P<why>[^\n;)]{1,200})",
        "Kargo could not run the Promotion, and does not try one again: {why}",
        "kubectl -n {namespace} get {object} -o yaml",
    ),
    _Row(
        r"DiscoveryFailure.*?error listing tags for repo URL (?P<repository>\S+): ",
        "the Warehouse cannot list the tags of {repository}: that registry does not answer, or refuses",
        "kubectl -n {namespace} describe warehouses",
    ),
    _Row(
        r"DiscoveryFailure",
        "the Warehouse cannot look into a repository that it subscribes to",
        "kubectl -n {namespace} describe warehouses",
    ),
    _Row(
        r"MissingImageReferences|No references discovered for image repository \"(?P<repository>[^\"]+)",
        "no tag in the image repository fits the Warehouse's constraint",
        "kubectl -n {namespace} describe warehouses",
    ),
    # --- Git and Argo CD
    _Row(
        r"unable to resolve '?(?P<branch>[^'\s]+)'? to a commit SHA",
        "the Git repository has no branch {branch}: nothing was rendered for the stage, or the Application is wrong",
        "kubectl -n argocd get applications -o custom-columns=NAME:.metadata.name,BRANCH:.spec.source.targetRevision",
    ),
    _Row(
        r"the Git server has no branch (?P<branch>\S+)",
        "nothing was rendered to branch {branch}, or somebody removed it",
        "kubectl -n argocd get applications -o custom-columns=NAME:.metadata.name,BRANCH:.spec.source.targetRevision",
    ),
    _Row(
        r"x509: (?P<why>[^\n;]{1,120})",
        "a server's certificate is not trusted: {why}",
        "kubectl -n argocd get configmap argocd-tls-certs-cm -o yaml",
    ),
    _Row(
        r"(?:ComparisonError|InvalidSpecError): (?P<why>[^\n]{1,200})",
        "Argo CD cannot make of the branch what it is to deploy: {why}",
        "kubectl -n argocd logs deploy/argocd-repo-server --tail=50",
    ),
    _Row(
        r"the sync ended (?:Failed|Error): (?P<why>[^\n]{1,160})",
        "the API server refused what the branch asks for: {why}",
        "kubectl -n argocd describe {object}",
    ),
    _Row(
        r"there is no such Application",
        "the ApplicationSet has made no such Application: it lacks the stage, or is refused",
        "kubectl -n argocd describe applicationsets",
    ),
    # --- what everything stands on
    _Row(
        r"no answer from the API server",
        "the API server is away, so nothing can be told of the cluster",
        "kubectl get --raw /readyz?verbose",
    ),
    _Row(
        r"samples instead of \d+ after \S+ s for: |has no data for: ",
        "Prometheus has no such series: its target is not scraped, or the query's labels fit nothing",
        "kubectl -n monitoring logs deploy/prometheus --tail=50",
    ),
)


def explain(observation: Observation) -> Explanation:
    """The row of the table that fits what was observed; the namespace's events where none does."""
    names = {"namespace": observation.namespace or "default", "object": observation.object or "all"}
    for words in observation.words:
        for row in _TABLE:
            if found := re.search(row.pattern, words):
                told = {**names, **{name: _told(name, value) for name, value in found.groupdict().items()}}
                return Explanation(row.cause.format(**told), row.command.format(**told))
    return Explanation("", _EVENTS.format(**names) if observation.namespace else "")


def _told(name: str, value: str | None) -> str:
    if name == "value" and value:
        return f"{float(value) / 2**20:.0f} MiB"
    return value or "unknown"
