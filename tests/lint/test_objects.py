"""What the lint says of manifests and Kargo resources with one fault planted: where, what, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.lint.conftest import Copy, told

ROLLOUT = "manifests/base/rollout.yaml"
SERVICE = "manifests/base/service.yaml"
CHECK = "manifests/base/analysis-template.yaml"
BASE = "manifests/base/kustomization.yaml"
DEV = "manifests/stages/dev/kustomization.yaml"
MEMORY = "manifests/stages/prod/canary-check.yaml"
SUCCESS_RATE = "manifests/analyses/success-rate/canary-check.yaml"
SIDECAR = "manifests/stages/prod/stress-sidecar.yaml"
SET = "manifests/applicationset.yaml"
TASK = "kargo/promotiontask.yml"
STAGES = "kargo/stages.yml"
WAREHOUSE = "kargo/warehouse.yml"
CONFIG = "kargo/projectconfig.yml"

CLONE = "gitRepo }}\n      checkout"
IMAGE = "registry.gitops-e2e.svc.cluster.local:5000/kargo-demo/product-api"
VERIFY = "http://kargo-demo-stable.kargo-demo-staging.svc.cluster.local:3000/health"


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in a file, and what is found `says` so.

    It is found where `at` is, after `after`, in that file or `of`.
    """

    file: str
    old: str
    new: str
    at: str
    says: str
    of: str = ""
    after: str = ""


FAULTS = {
    # --- YAML
    "no YAML": Fault(WAREHOUSE, "spec:", "spec: [", "freightCreationPolicy", "this is no YAML: did not find expected"),
    "a key twice": Fault(
        SERVICE,
        "  type: NodePort",
        "  type: ClusterIP\n  type: NodePort",
        "type: NodePort",
        "spec.type is given twice, and only the last one counts; remove this one or that of line 8",
    ),
    # --- schemas
    "unknown field of a custom resource": Fault(
        ROLLOUT,
        "progressDeadlineSeconds: 120",
        "progresDeadlineSeconds: 120",
        "progresDeadlineSeconds",
        "spec.progresDeadlineSeconds is no field of Rollout; write progressDeadlineSeconds, or remove it",
    ),
    "unknown field of a pod": Fault(
        ROLLOUT,
        "terminationGracePeriodSeconds: 19",
        "terminationGracePeriod: 19",
        "terminationGracePeriod",
        "spec.terminationGracePeriod is no field of",
    ),
    "unknown field in a patch of a stage": Fault(
        SIDECAR, "imagePullPolicy", "imagePulPolicy", "imagePulPolicy", ".imagePulPolicy is no field of"
    ),
    "unknown field of the core": Fault(
        SERVICE,
        "  type: NodePort",
        "  typ: NodePort",
        "typ:",
        "spec.typ is no field of Service; write type, or remove it",
    ),
    "unknown field of metadata": Fault(
        ROLLOUT,
        "  name: kargo-demo-rollout\n  labels:",
        "  name: kargo-demo-rollout\n  lables:",
        "lables",
        "metadata.lables is no field of Rollout; write labels, or remove it",
    ),
    "wrong type": Fault(
        ROLLOUT, "- setWeight: 20", '- setWeight: "20"', 'setWeight: "20"', 'is "20"; make it of type integer'
    ),
    "unknown field in an inline patch": Fault(
        DEV,
        "value: 30087}",
        "value: 30087}\n    - {op: add, path: /spec/ports/0/nodeport, value: 1}",
        "nodeport",
        "spec.ports[0].nodeport is no field of Service",
    ),
    "unknown field of an ApplicationSet": Fault(
        SET, "goTemplate: true", "goTemplates: true", "goTemplates:", "spec.goTemplates is no field of ApplicationSet"
    ),
    "unknown field of the Application that it makes": Fault(
        SET,
        "selfHeal: true",
        "selfheal: true",
        "selfheal",
        "is no field of ApplicationSet; write selfHeal, or remove it",
    ),
    "unknown field of Kargo's": Fault(
        WAREHOUSE,
        "discoveryLimit",
        "discoveryLimits",
        "discoveryLimits",
        "is no field of Warehouse; write discoveryLimit",
    ),
    "missing field of Kargo's": Fault(
        STAGES.replace("stages", "warehouse"),
        "  subscriptions:\n",
        "  subscribed:\n",
        "spec:",
        "spec lacks subscriptions",
    ),
    "unknown kind": Fault(
        CONFIG,
        "kind: ProjectConfig",
        "kind: ProjectConfigs",
        "kind:",
        "no API of the pinned versions has ProjectConfigs",
    ),
    "wrong version": Fault(
        SERVICE, "apiVersion: v1", "apiVersion: v2", "kind:", "no API of the pinned versions has Service in v2"
    ),
    # --- kustomize
    "a stage that cannot be rendered": Fault(
        BASE, "- service.yaml", "- servise.yaml", "- servise.yaml", "kustomize cannot build this: 'servise.yaml': "
    ),
    # --- tasks and steps of Kargo
    "task that there is not": Fault(
        TASK,
        "  name: promote\n",
        "  name: promot\n",
        "name: promote",
        "there is no PromotionTask promote; use promot",
        of=STAGES,
    ),
    "task that no stage uses": Fault(
        TASK, "  name: promote\n", "  name: promot\n", "name: promot", "no stage uses PromotionTask promot"
    ),
    "step kind": Fault(
        TASK, "uses: git-clear", "uses: git-clean", "uses: git-clean", "Kargo has no step git-clean; use git-clear"
    ),
    "step kind that the engine lacks": Fault(
        TASK, "uses: git-clear", "uses: helm-template", "uses: helm-template", "does not support steps helm-template"
    ),
    "config of a step": Fault(
        TASK, "outPath: ./out", "outpath: ./out", "outpath", "in config, outpath is no field of a step kustomize-build"
    ),
    "config of a step that lacks something": Fault(
        TASK,
        "      outPath: ./out\n",
        "",
        "config:",
        "in config, it lacks outPath; add outPath",
        after="kustomize-build",
    ),
    "alias twice": Fault(
        TASK,
        "as: clear",
        "as: clone",
        "as: clone",
        "Kargo refuses this PromotionTask: spec.steps[1].as",
        after="git-clear",
    ),
    "condition that is no expression": Fault(
        TASK, "    as: clear\n", "    as: clear\n    if: success()\n", "if: success()", "if is the text 'success()'"
    ),
    # --- variables and expressions
    "expression that does not compile": Fault(
        TASK,
        "tag: ${{ quote(imageFrom(vars.imageRepo).Tag) }}",
        "tag: ${{ quote(imageFrom(vars.imageRepo).Tag }}",
        "tag:",
        "this expression does not compile: ",
    ),
    "expression that is not closed": Fault(
        TASK,
        "path: ./src/stages/${{ ctx.stage }}",
        "path: ./src/stages/${{ ctx.stage",
        "path: ./src/stages",
        'Cannot find end tag="}}"',
    ),
    "field of an image": Fault(
        TASK, "(vars.imageRepo).Tag", "(vars.imageRepo).tag", "tag:", "type v1alpha1.Image has no field tag"
    ),
    "function": Fault(TASK, "quote(imageFrom", "quot(imageFrom", "tag:", "there is no function quot here; use quote"),
    "variable": Fault(
        TASK,
        "      - image: ${{ vars.imageRepo }}",
        "      - image: ${{ vars.imageRep }}",
        "image: ${{",
        "no variable imageRep is defined for vars.imageRep; use vars.imageRepo",
    ),
    "variable that nothing uses": Fault(
        TASK,
        "  steps:\n",
        "  - name: other\n    value: x\n  steps:\n",
        "name: other",
        "no expression uses the variable other",
    ),
    "variable without a value": Fault(
        TASK,
        "    value: https://git.gitops-e2e.svc.cluster.local/kargo-demo.git\n",
        "",
        "- task:",
        'missing value for variable "gitRepo"',
        of=STAGES,
    ),
    "context": Fault(
        TASK,
        "./src/stages/${{ ctx.stage }}",
        "./src/stages/${{ ctx.stag }}",
        "stages/",
        "there is no ctx.stag here; use ctx.stage",
    ),
    "object": Fault(
        TASK,
        "./src/stages/${{ ctx.stage }}",
        "./src/stages/${{ context.stage }}",
        "stages/",
        "there is nothing called context here",
    ),
    "output of a step that there is not": Fault(
        TASK,
        "task.outputs.push.commit",
        "task.outputs.psh.commit",
        "psh",
        "no earlier step has the alias psh of task.outputs; use push",
    ),
    "output of a step that comes later": Fault(
        TASK,
        "task.outputs['update-image'].commitMessage",
        "task.outputs['push'].commit",
        "['push']",
        "no earlier step has the alias push",
    ),
    # --- analyses
    "argument that is not declared": Fault(
        MEMORY,
        'namespace="{{args.namespace}}"',
        'namespace="{{args.namespac}}"',
        "query:",
        "the argument namespac of {{args.namespac}} is not declared; use args.namespace",
    ),
    "argument that no metric uses": Fault(
        MEMORY,
        "  - name: canary-hash\n",
        "  - name: canary-hash\n  - name: other\n    value: x\n",
        "name: other",
        "no metric uses the argument other",
    ),
    "argument that is not given": Fault(
        MEMORY,
        '    value: "157286400" # 150 MiB, for the whole pod\n',
        "",
        "args:",
        "the argument memory-limit-bytes of AnalysisTemplate canary-check is not given",
        of=ROLLOUT,
    ),
    "argument that nothing takes": Fault(
        ROLLOUT,
        "- name: canary-hash",
        "- name: canary-hsh",
        "canary-hsh",
        "no AnalysisTemplate takes the argument canary-hsh; use canary-hash",
    ),
    "tag that cannot be resolved": Fault(
        CHECK,
        "{{args.namespace}}.svc.cluster.local:3000/health",
        "{{namespace}}.svc.cluster.local:3000/health",
        "url:",
        "Argo Rollouts cannot resolve {{namespace}}",
    ),
    "condition that does not compile": Fault(
        CHECK, 'result == "healthy"', 'result = "healthy"', "successCondition", "successCondition does not compile: "
    ),
    "condition on something that there is not": Fault(
        MEMORY,
        "failureCondition: len(result) > 0",
        "failureCondition: len(results) > 0",
        "failureCondition",
        "failureCondition does not compile: unknown name results",
    ),
    "no guard against an empty result": Fault(
        MEMORY,
        "len(result) > 0 && !isNaN(result[0]) && result[0] <=",
        "result[0] <=",
        "successCondition",
        "successCondition fails for an empty result: reflect: slice index out of range",
    ),
    "no guard in an analysis that no stage selects": Fault(
        SUCCESS_RATE,
        "len(result) > 0 && !isNaN(result[0]) && result[0] >=",
        "result[0] >=",
        "successCondition",
        "successCondition fails for an empty result: reflect: slice index out of range",
    ),
    "an empty result passes": Fault(
        MEMORY,
        "successCondition: len(result) > 0 && ",
        "successCondition: len(result) == 0 || ",
        "successCondition",
        "an empty result counts as a success",
    ),
    "NaN passes": Fault(
        MEMORY,
        "!isNaN(result[0]) && result[0] <= {{args.memory-limit-bytes}}",
        "!(result[0] > {{args.memory-limit-bytes}})",
        "successCondition",
        "NaN counts as a success",
    ),
    "no success condition": Fault(
        MEMORY,
        "    successCondition: len(result) > 0 && !isNaN(result[0]) && result[0] <= {{args.memory-limit-bytes}}\n",
        "",
        "failureCondition",
        "an empty result counts as a success",
    ),
    "no condition": Fault(
        CHECK,
        '    successCondition: result == "healthy"\n',
        "",
        "name: health",
        "the metric has no condition, so that every answer is a success",
    ),
    "query": Fault(MEMORY, "sum by (pod) (", "sum by (pod (", "query:", "this is no PromQL: "),
    "query with a default": Fault(
        MEMORY,
        "            )\n          )\n",
        "            )\n          ) or vector(0)\n",
        "query:",
        "the query gives 0 where Prometheus has no data; leave out: or vector(0)",
    ),
    "count without an interval": Fault(MEMORY, "    interval: 5s\n", "", "count: 3", "3 measurements need an interval"),
    "count below a limit": Fault(
        MEMORY,
        "inconclusiveLimit: 1\n",
        "inconclusiveLimit: 4\n",
        "inconclusiveLimit",
        "refuses a count of 3 with inconclusiveLimit 4; raise count to 4",
    ),
    "template that there is not": Fault(
        ROLLOUT,
        "templateName: canary-check",
        "templateName: canary-chek",
        "templateName",
        "there is no AnalysisTemplate canary-chek; use canary-check",
    ),
    "verification by a template that there is not": Fault(
        STAGES,
        "- name: verify-staging\n---",
        "- name: verify-stagin\n---",
        "- name: verify-stagin",
        "there is no AnalysisTemplate verify-stagin; use verify-staging",
    ),
    # --- stages
    "stage without a folder": Fault(
        SET, "- stage: prod", "- stage: prd", "- stage: prd", "stage prd has no folder in manifests/stages; use prod"
    ),
    "stage without an Application": Fault(
        SET, "      - stage: prod\n", "", "elements:", "no Application is made for stage prod"
    ),
    "stage that Kargo does not have": Fault(
        STAGES, "  name: prod\n", "  name: production\n", "- stage: prod", "kargo/ has no Stage prod", of=SET
    ),
    "field that an element has not": Fault(
        SET,
        "name: kargo-demo-{{.stage}}\n",
        "name: kargo-demo-{{.name}}\n",
        "{{.name}}",
        "has no value for {{.name}}; use stage",
    ),
    "annotation": Fault(
        SET,
        "authorized-stage: kargo-demo:{{.stage}}",
        "authorized-stage: kargo-dem:{{.stage}}",
        "authorized-stage:",
        "Application kargo-demo-dev lets kargo-dem:dev change it, and that is no Stage of kargo/; use kargo-demo:dev",
    ),
    "no annotation": Fault(
        SET,
        "kargo.akuity.io/authorized-stage: kargo-demo:{{.stage}}",
        "other: x",
        "annotations:",
        "no stage may change Application kargo-demo-dev",
    ),
    "namespace": Fault(
        DEV,
        "namespace: kargo-demo-dev",
        "namespace: kargo-demo-develop",
        "namespace: kargo-demo-{{",
        "Application kargo-demo-dev deploys to kargo-demo-dev, and stage dev renders kargo-demo-develop",
        of=SET,
    ),
    "object outside of the Project": Fault(
        TASK,
        "namespace: kargo-demo",
        "namespace: kargo-dem",
        "namespace:",
        "PromotionTask promote is in namespace kargo-dem, which is no Project",
    ),
    "config of another Project": Fault(
        CONFIG,
        "  name: kargo-demo\n  namespace",
        "  name: kargo-dem\n  namespace",
        "name: kargo-dem",
        "no Project has the name of ProjectConfig kargo-dem; use kargo-demo",
    ),
    "policy for a stage that there is not": Fault(
        CONFIG,
        "name: staging",
        "name: stagin",
        "name: stagin",
        "the policy speaks of stagin, and no Stage is meant by it; use staging",
    ),
    "stage upstream that there is not": Fault(
        STAGES, "stages: [dev]", "stages: [develop]", "stages: [develop]", "there is no Stage develop; use dev"
    ),
    "stages in a circle": Fault(
        STAGES, "stages: [dev]", "stages: [prod]", "stages: [prod]", "Stage staging waits for itself"
    ),
    # --- services
    "service that there is not": Fault(
        ROLLOUT,
        "canaryService: kargo-demo-canary",
        "canaryService: kargo-demo-canry",
        "canaryService",
        "there is no Service kargo-demo-canry; use kargo-demo-canary",
    ),
    "service that selects nothing": Fault(
        SERVICE,
        "  selector:\n    app: product-api",
        "  selector:\n    app: product",
        "app:",
        "Service kargo-demo-stable selects app=product, and no pod of kargo-demo-rollout has it",
        after="selector",
    ),
    "port that no container has": Fault(
        SERVICE,
        "targetPort: http",
        "targetPort: web",
        "targetPort",
        "Service kargo-demo-stable leads to port web, which no container has; use http",
    ),
    "service that an analysis asks": Fault(
        CHECK,
        "http://kargo-demo-canary.{{args.namespace}}.svc.cluster.local:3000/health",
        "http://kargo-demo-canry.{{args.namespace}}.svc.cluster.local:3000/health",
        "canry",
        "there is no Service kargo-demo-canry in kargo-demo-dev; use kargo-demo-canary",
    ),
    "service that a verification asks": Fault(
        STAGES,
        VERIFY,
        VERIFY.replace("stable", "stabl"),
        "stabl.",
        "there is no Service kargo-demo-stabl in kargo-demo-staging; use kargo-demo-stable",
    ),
    "port that a verification asks": Fault(
        STAGES,
        VERIFY,
        VERIFY.replace("3000", "8080"),
        "8080",
        "Service kargo-demo-stable has no port 8080; use port 3000",
    ),
    # --- promotions
    "image that no Warehouse looks for": Fault(
        WAREHOUSE,
        "kargo-demo/product-api",
        "kargo-demo/product-ap",
        "config:",
        f"no Warehouse of the stages' Freight looks for image {IMAGE}; use",
        of=TASK,
        after="kustomize-set-image",
    ),
    "image that nothing runs": Fault(
        TASK,
        "      - image: ${{ vars.imageRepo }}",
        "      - image: ${{ vars.imageRepo }}-x",
        "-x",
        f"no container runs image {IMAGE}-x, so setting it changes nothing; use {IMAGE}",
    ),
    "Application that there is not": Fault(
        TASK,
        "name: kargo-demo-${{ ctx.stage }}",
        "name: kargo-dem-${{ ctx.stage }}",
        "kargo-dem-",
        "there is no Application kargo-dem-dev to update; use kargo-demo-dev",
    ),
    "Application of another stage": Fault(
        TASK,
        "name: kargo-demo-${{ ctx.stage }}",
        "name: kargo-demo-prod",
        "name: kargo-demo-prod",
        "stage kargo-demo:dev updates Application kargo-demo-prod, which lets kargo-demo:prod change it",
    ),
    "branch that nothing pushes to": Fault(
        SET,
        "targetRevision: stage/{{.stage}}",
        "targetRevision: stages/{{.stage}}",
        "targetRevision",
        "Application kargo-demo-dev follows stages/dev, which no step checks out; use stage/dev",
    ),
    "source of an Application": Fault(
        SET,
        "kargo-demo.git",
        "kargo-dem.git",
        "- repoURL",
        "Application kargo-demo-dev has no source https://git.gitops-e2e.svc.cluster.local/kargo-demo.git",
        of=TASK,
    ),
    "path that there is not": Fault(
        TASK,
        "path: ./src/stages/${{ ctx.stage }}",
        "path: ./src/stage/${{ ctx.stage }}",
        "./src/stage/",
        "there is no folder manifests/stage/dev for the path ./src/stage/dev; use stages/dev",
    ),
}


def test_there_is_nothing_to_say_of_the_checkout(copy: Copy) -> None:
    assert copy.objects() == [], told(copy.objects())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found(fault: Fault, copy: Copy) -> None:
    copy.plant(fault.file, fault.old, fault.new)
    file = fault.of or fault.file
    findings = copy.objects()
    place = f"{file}:{copy.line(file, fault.at, after=fault.after)}: "
    assert any(str(each).startswith(place) and fault.says in str(each) for each in findings), (
        f"nothing at {place}{fault.says}\n{told(findings)}"
    )
