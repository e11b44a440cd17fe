"""The rules beyond the recorded attempts: what is filled in, who may do what, what is refused with which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gitops_e2e.kube import Conflict, Kube, KubeError, Manifest, NotFound, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.warehouses.naming import freight_name

pytestmark = pytest.mark.node

ORIGIN = {"kind": "Warehouse", "name": "main"}
IMAGE = {"repoURL": "registry.local/product-api", "tag": "1.0.0", "digest": f"sha256:{'a' * 64}"}
COMMIT = {"repoURL": "https://git.local/demo.git", "id": "0123456789abcdef0123456789abcdef01234567"}
COMPOSE = {"uses": "compose-output", "config": {"v": 1}}
CONTROLLER = "system:serviceaccount:kargo:kargo-controller"
UNSUPPORTED = 'admission webhook "{}.kargo.akuity.io" denied the request: not supported by the embedded engine: {}'


@dataclass(frozen=True)
class Project:
    """A Project's namespace, with the webhooks in effect."""

    kube: Kube
    namespace: str

    def manifest(self, kind: str, name: str, **fields: Any) -> Manifest:
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields}

    def create(self, kind: str, name: str, **fields: Any) -> Manifest:
        return self.kube.create(self.manifest(kind, name, **fields))

    def ref(self, kind: str, name: str) -> Ref:
        return Ref(API_VERSION, kind, name, self.namespace)

    def stage(self, name: str, *steps: Manifest, **sources: Any) -> Manifest:
        requested = [{"origin": ORIGIN, "sources": sources or {"direct": True}}]
        template = {"promotionTemplate": {"spec": {"steps": list(steps)}}} if steps else {}
        return self.create("Stage", name, spec={"requestedFreight": requested, **template})

    def warehouse(self, name: str, *subscriptions: Manifest) -> Manifest:
        return self.create("Warehouse", name, spec={"subscriptions": list(subscriptions)})

    def freight(self, **fields: Any) -> Manifest:
        return self.create("Freight", "anything", **{"origin": ORIGIN, "images": [IMAGE], **fields})

    def promotion(self, name: str, freight: Manifest, *steps: Manifest, stage: str = "dev", **spec: Any) -> Manifest:
        named = freight["metadata"]["name"]
        return self.create("Promotion", name, spec={"stage": stage, "freight": named, "steps": list(steps), **spec})

    def events(self, reason: str) -> list[Manifest]:
        found = self.kube.list(self.kube.resource("v1", "Event"), self.namespace)
        return [event for event in found if event["reason"] == reason]


@pytest.fixture
def project(admitted: Kube, namespace: str) -> Project:
    return Project(admitted, namespace)


@pytest.fixture
def demo(project: Project) -> Project:
    """A Warehouse for one image, and a Stage that takes its Freight directly."""
    project.warehouse("main", {"image": {"repoURL": IMAGE["repoURL"]}})
    project.stage("dev", COMPOSE)
    return project


# --- Freight


def test_freight_is_named_and_gets_an_alias(demo: Project) -> None:
    freight = demo.freight()
    assert freight["metadata"]["name"] == freight_name(freight)
    assert re.fullmatch(r"[a-z]+-[a-z]+", freight["alias"])
    assert freight["metadata"]["labels"]["kargo.akuity.io/alias"] == freight["alias"]


def test_a_given_alias_is_kept_and_its_label_follows(demo: Project) -> None:
    freight = demo.freight(alias="mine", metadata={"labels": {"kargo.akuity.io/alias": "other"}})
    ref = Ref.of(freight)
    assert (freight["alias"], freight["metadata"]["labels"]["kargo.akuity.io/alias"]) == ("mine", "mine")
    assert demo.kube.patch(ref, {"alias": "yours"})["metadata"]["labels"]["kargo.akuity.io/alias"] == "yours"
    assert "labels" not in demo.kube.patch(ref, {"alias": None})["metadata"]


def test_freight_is_what_its_warehouse_subscribes_to(demo: Project) -> None:
    demo.warehouse("both", {"image": {"repoURL": IMAGE["repoURL"]}}, {"git": {"repoURL": COMMIT["repoURL"]}})
    both = {"kind": "Warehouse", "name": "both"}
    assert demo.freight(origin=both, commits=[COMMIT])
    with pytest.raises(KubeError) as error:
        demo.freight(origin=both, alias="a")
    missing = 'no artifact found for subscription "https://git.local/demo.git" of Warehouse "both"'
    assert causes(error.value) == {"commits": f"Invalid value: null: {missing}"}
    with pytest.raises(KubeError) as error:
        demo.freight(commits=[COMMIT], alias="b")
    assert causes(error.value) == {
        "commits[0]": f'Invalid value: {{"repoURL":"{COMMIT["repoURL"]}","id":"{COMMIT["id"]}"}}: '
        'no subscription found for Git repository in Warehouse "main"'
    }
    with pytest.raises(KubeError) as error:
        demo.freight(images=[IMAGE, {**IMAGE, "tag": "2.0.0"}], alias="c")
    assert list(causes(error.value)) == ["images"]
    assert "multiple artifacts found for subscription" in error.value.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"images": []}, "freight must contain at least one commit, image, or chart"),
        (
            {"origin": {"kind": "Warehouse", "name": "no"}},
            'warehouse: Invalid value: "no": warehouse does not exist',
        ),
    ],
)
def test_freight_that_cannot_be(demo: Project, fields: Manifest, message: str) -> None:
    with pytest.raises(KubeError, match=re.escape(message)):
        demo.freight(**fields)


def test_an_alias_belongs_to_one_freight(demo: Project) -> None:
    demo.freight(alias="taken")
    other = {**IMAGE, "tag": "1.0.1"}
    text = f'alias already used by another piece of Freight in namespace "{demo.namespace}"'
    with pytest.raises(KubeError) as error:
        demo.freight(images=[other], alias="taken")
    assert causes(error.value) == {"alias": f'Invalid value: "taken": {text}'}
    ref = Ref.of(demo.freight(images=[other], alias="free"))
    with pytest.raises(Conflict, match='alias "taken" already used by another piece of Freight'):
        demo.kube.patch(ref, {"alias": "taken"})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"origin": {"kind": "Warehouse", "name": "other"}}, "origin"),
        ({"images": [IMAGE, IMAGE]}, "images"),
        ({"images": [{**IMAGE, "digest": "sha256:b"}]}, "images[0]"),
        ({"commits": [COMMIT]}, "commits"),
    ],
)
def test_freight_never_changes(demo: Project, change: Manifest, path: str) -> None:
    ref = Ref.of(demo.freight())
    with pytest.raises(KubeError) as error:
        demo.kube.patch(ref, change)
    assert list(causes(error.value)) == [path]
    assert error.value.message.endswith("Freight is immutable")


def test_freight_that_no_stage_has_may_go(demo: Project) -> None:
    ref = Ref.of(demo.freight())
    demo.kube.delete(ref)
    assert demo.kube.find(ref) is None


def test_an_approval_is_an_event(demo: Project) -> None:
    ref = Ref.of(demo.freight())
    approved = {"approvedFor": {"prod": {"approvedAt": "2026-01-01T00:00:00Z"}}}
    in_use = {"currentlyIn": {"dev": {"since": "2026-01-01T00:00:00Z"}}}
    for status in (approved, in_use):
        demo.kube.patch(ref, {"status": status}, subresource="status")
    (event,) = demo.events("FreightApproved")
    assert event["message"] == 'Freight approved for Stage "prod" by "kubernetes:admin"'
    assert event["source"]["component"] == "freight-webhook"
    annotations = event["metadata"]["annotations"]
    assert annotations["event.kargo.akuity.io/stage-name"] == "prod"
    assert annotations["event.kargo.akuity.io/freight-name"] == ref.name


# --- Promotions


def test_a_promotion_is_completed(demo: Project) -> None:
    task = {
        "vars": [{"name": "word", "value": "hello"}],
        "steps": [{"uses": "copy"}, {"uses": "copy", "as": "again"}],
    }
    demo.create("PromotionTask", "twice", spec=task)
    promotion = demo.promotion("p", demo.freight(), {"task": {"name": "twice"}, "as": "both"}, COMPOSE)
    variables = [{"name": "word", "value": "hello"}]
    assert promotion["spec"]["steps"] == [
        {"uses": "copy", "as": "both::step-1", "vars": variables},
        {"uses": "copy", "as": "both::again", "vars": variables},
        {**COMPOSE, "as": "step-2"},
    ]
    (owner,) = promotion["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"], owner["blockOwnerDeletion"]) == (
        "Stage",
        "dev",
        True,
        True,
    )
    assert promotion["metadata"]["annotations"] == {"kargo.akuity.io/create-actor": "kubernetes:admin"}


def test_a_task_of_the_cluster_is_found_by_its_kind(demo: Project) -> None:
    manifest = demo.manifest("ClusterPromotionTask", f"task-{demo.namespace}", spec={"steps": [{"uses": "copy"}]})
    del manifest["metadata"]["namespace"]
    demo.kube.create(manifest)
    step = {"task": {"name": manifest["metadata"]["name"], "kind": "ClusterPromotionTask"}}
    freight = demo.freight()
    promotion = demo.promotion("p", freight, step)
    assert promotion["spec"]["steps"] == [{"uses": "copy", "as": "task-1::step-1"}]
    with pytest.raises(NotFound, match=re.escape('ClusterPromotionTask.kargo.akuity.io "no" not found')):
        demo.promotion("q", freight, {"task": {"name": "no", "kind": "ClusterPromotionTask"}})


def test_a_task_variable_without_value_is_missed(demo: Project) -> None:
    demo.create("PromotionTask", "task", spec={"vars": [{"name": "word"}], "steps": [{"uses": "copy"}]})
    where = 'failed to inflate Promotion steps: inflate tasks steps for task "task" ("task-1")'
    words = f'{where}: missing value for variable "word"'
    freight = demo.freight()
    with pytest.raises(KubeError) as error:
        demo.promotion("p", freight, {"task": {"name": "task"}})
    assert error.value.message == f'admission webhook "promotion.kargo.akuity.io" denied the request: {words}'
    assert demo.promotion("p", freight, {"task": {"name": "task"}}, vars=[{"name": "word", "value": "x"}])


def test_a_promotion_by_hand_is_an_event(demo: Project) -> None:
    freight = demo.freight()
    demo.promotion("p", freight, COMPOSE)
    (event,) = demo.events("PromotionCreated")
    assert event["message"] == 'Promotion created for Stage "dev" by "kubernetes:admin"'
    assert event["source"]["component"] == "promotion-webhook"
    annotations = event["metadata"]["annotations"]
    assert annotations["event.kargo.akuity.io/actor"] == "kubernetes:admin"
    assert annotations["event.kargo.akuity.io/freight-alias"] == freight["alias"]


def test_the_engine_is_no_creator_worth_mention(demo: Project, kube_as: Callable[[str], Kube]) -> None:
    engine = Project(kube_as(CONTROLLER), demo.namespace)
    promotion = engine.promotion("p", demo.freight(), COMPOSE)
    assert "annotations" not in promotion["metadata"]
    assert demo.events("PromotionCreated") == []


def test_the_creator_stays_who_it_was(demo: Project) -> None:
    ref = Ref.of(demo.promotion("p", demo.freight(), COMPOSE))
    claim = {"metadata": {"annotations": {"kargo.akuity.io/create-actor": "kubernetes:mallory", "note": "x"}}}
    assert demo.kube.patch(ref, claim)["metadata"]["annotations"] == {
        "kargo.akuity.io/create-actor": "kubernetes:admin",
        "note": "x",
    }


def test_an_abort_is_signed(demo: Project, kube_as: Callable[[str], Kube]) -> None:
    ref = Ref.of(demo.promotion("p", demo.freight(), COMPOSE))
    abort = {"metadata": {"annotations": {"kargo.akuity.io/abort": "terminate"}}}
    annotations = demo.kube.patch(ref, abort)["metadata"]["annotations"]
    assert annotations["kargo.akuity.io/abort"] == '{"action":"terminate","actor":"kubernetes:admin"}'
    untouched = kube_as(CONTROLLER).patch(ref, {"metadata": {"labels": {"a": "b"}}})["metadata"]["annotations"]
    assert untouched == annotations


def test_requests_to_a_stage_are_signed(demo: Project, kube_as: Callable[[str], Kube]) -> None:
    ref = demo.ref("Stage", "dev")
    asked = {"metadata": {"annotations": {"kargo.akuity.io/reverify": "one", "kargo.akuity.io/abort": "two"}}}
    annotations = demo.kube.patch(ref, asked)["metadata"]["annotations"]
    assert annotations["kargo.akuity.io/reverify"] == '{"id":"one","actor":"kubernetes:admin"}'
    assert annotations["kargo.akuity.io/abort"] == '{"id":"two","actor":"kubernetes:admin"}'
    own = {"metadata": {"annotations": {"kargo.akuity.io/reverify": '{"id":"three"}'}}}
    annotations = kube_as(CONTROLLER).patch(ref, own)["metadata"]["annotations"]
    assert annotations["kargo.akuity.io/reverify"] == '{"id":"three","controlPlane":true}'


def test_only_who_may_promote_creates_promotions(demo: Project, kube_as: Callable[[str], Kube]) -> None:
    grant(
        demo,
        "alice",
        [
            {
                "apiGroups": ["kargo.akuity.io"],
                "resources": ["promotions", "freights", "freights/status"],
                "verbs": ["*"],
            }
        ],
    )
    alice = Project(kube_as("alice"), demo.namespace)
    freight = demo.freight()
    reason = 'subject "alice" is not permitted to create Promotions for Stage "dev"'
    forbidden = f'promotions.kargo.akuity.io "p" is forbidden: {reason}'
    with pytest.raises(KubeError) as error:
        alice.promotion("p", freight, COMPOSE)
    assert error.value.message.endswith(f"Internal error occurred: {forbidden}")
    assert error.value.code == 500
    approval = {"status": {"approvedFor": {"dev": {"approvedAt": "2026-01-01T00:00:00Z"}}}}
    with pytest.raises(KubeError, match='subject "alice" is not permitted'):
        alice.kube.patch(Ref.of(freight), approval, subresource="status")
    demo.promotion("theirs", freight, COMPOSE)
    with pytest.raises(
        KubeError, match='"theirs" is forbidden: subject "alice" is not permitted to delete Promotions'
    ) as error:
        alice.kube.delete(demo.ref("Promotion", "theirs"))
    assert error.value.code == 403

    grant(
        demo,
        "promoter",
        [{"apiGroups": ["kargo.akuity.io"], "resources": ["stages"], "resourceNames": ["dev"], "verbs": ["promote"]}],
    )
    promotion = alice.promotion("p", freight, COMPOSE)
    assert promotion["metadata"]["annotations"]["kargo.akuity.io/create-actor"] == "kubernetes:alice"
    alice.kube.delete(Ref.of(promotion))


# --- Stages, tasks, configs, Warehouses


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            {"direct": True},
            "selection policy 'MatchUpstream' cannot be used when accepting Freight directly from its origin",
        ),
        (
            {"stages": ["a", "b"]},
            "selection policy 'MatchUpstream' requires exactly one upstream Stage to be specified",
        ),
    ],
)
def test_matching_upstream_needs_one_upstream(project: Project, sources: Manifest, message: str) -> None:
    with pytest.raises(KubeError, match=message):
        project.stage("s", **sources, autoPromotionOptions={"selectionPolicy": "MatchUpstream"})
    assert project.stage("s", stages=["a"], autoPromotionOptions={"selectionPolicy": "MatchUpstream"})


def test_a_reference_to_a_task_is_only_that(project: Project) -> None:
    with pytest.raises(KubeError) as error:
        project.stage("s", {"task": {"name": "t"}, "if": "${{ always() }}", "config": {"a": 1}})
    path = "spec.promotionTemplate.spec.steps[0]"
    assert causes(error.value) == {
        f"{path}.if": "Forbidden: PromotionTemplate step referencing a task cannot have an 'if' condition",
        f"{path}.config": "Forbidden: PromotionTemplate step referencing a task cannot have a config",
    }


def test_a_soak_time_is_a_duration(project: Project) -> None:
    with pytest.raises(KubeError, match="duration") as error:
        project.stage("s", stages=["a"], requiredSoakTime="long")
    assert error.value.code == 400


def test_aliases_in_a_task_tell_its_steps_apart(project: Project) -> None:
    steps = [{"uses": "copy", "as": "a"}, {"uses": "copy", "as": "a"}, {"uses": "copy", "as": "task-1"}]
    with pytest.raises(KubeError) as error:
        project.create("PromotionTask", "t", spec={"steps": steps})
    assert causes(error.value) == {
        "spec.steps[1].as": 'Invalid value: "a": step alias duplicates that of spec.steps[0]',
        "spec.steps[2].as": 'Invalid value: "task-1": step alias is reserved',
    }
    assert error.value.message == (
        'admission webhook "promotiontask.kargo.akuity.io" denied the request: '
        'PromotionTask.kargo.akuity.io "t" is invalid: '
        '[spec.steps[1].as: Invalid value: "a": step alias duplicates that of spec.steps[0], '
        'spec.steps[2].as: Invalid value: "task-1": step alias is reserved]'
    )


def test_a_config_belongs_to_its_project(project: Project) -> None:
    with pytest.raises(KubeError) as error:
        project.create("ProjectConfig", "other", spec={})
    name = f'name "other" must match project name "{project.namespace}"'
    assert causes(error.value) == {"metadata.name": f'Invalid value: "other": {name}'}
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "ProjectConfig",
        "metadata": {"name": "default", "namespace": "default"},
    }
    with pytest.raises(KubeError, match='namespace "default" does not belong to Kargo project'):
        project.kube.create(manifest)


def test_policies_are_readable_and_name_a_stage_once(project: Project) -> None:
    policies = [
        {"stageSelector": {"name": "wild:*"}},
        {"stageSelector": {"name": "dev"}},
        {"stage": "dev"},
        {"stageSelector": {"name": "glob:dev*"}},
    ]
    with pytest.raises(KubeError) as error:
        project.create("ProjectConfig", project.namespace, spec={"promotionPolicies": policies})
    pattern = 'invalid pattern identifier "wild": must be "regex", "regexp" or "glob"'
    twice = "stage name already defined at spec.promotionPolicies[1]"
    assert causes(error.value) == {
        "spec.promotionPolicies[0].stageSelector.name": f'Invalid value: "wild:*": {pattern}',
        "spec.promotionPolicies[2].stage": f'Invalid value: "dev": {twice}',
    }


@pytest.mark.parametrize(
    ("subscription", "path", "message"),
    [
        (
            {"image": {"repoURL": "r/a"}, "git": {"repoURL": "https://git.local/a"}},
            "spec.subscriptions[0]",
            "or spec.subscriptions[0].chart must be non-empty",
        ),
        ({"image": {"repoURL": "r/a", "platform": "linux"}}, "spec.subscriptions[0].image.platform", '"linux"'),
        (
            {"git": {"repoURL": "https://git.local/a", "semverConstraint": "newest"}},
            "spec.subscriptions[0].git.semverConstraint",
            '"newest"',
        ),
    ],
)
def test_subscriptions_that_cannot_be(project: Project, subscription: Manifest, path: str, message: str) -> None:
    with pytest.raises(KubeError) as error:
        project.warehouse("w", subscription)
    assert list(causes(error.value)) == [path]
    assert error.value.message.endswith(message)


def test_a_git_repository_is_subscribed_to_once_however_it_is_spelt(project: Project) -> None:
    with pytest.raises(KubeError) as error:
        project.warehouse(
            "w", {"git": {"repoURL": "https://git.local/a.git"}}, {"git": {"repoURL": "https://git.local/A"}}
        )
    assert causes(error.value) == {
        "spec.subscriptions[1].git": 'Invalid value: "https://git.local/A": '
        'subscription for Git repository already exists at "spec.subscriptions[0].git"'
    }


def test_a_constraint_that_is_a_tag_is_no_range(project: Project) -> None:
    image = {"repoURL": "r/a", "constraint": "latest", "imageSelectionStrategy": "Digest"}
    assert project.warehouse("w", {"image": image})


# --- Projects


def test_a_project_brings_its_namespace(admitted: Kube) -> None:
    project = {"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": "brings-its-own"}}
    namespace = Ref("v1", "Namespace", "brings-its-own")
    admitted.dry_run(project)
    assert admitted.find(namespace) is None
    admitted.create(project)
    metadata = admitted.get(namespace)["metadata"]
    assert metadata["labels"]["kargo.akuity.io/project"] == "true"
    assert metadata["finalizers"] == ["kargo.akuity.io/finalizer"]


def test_a_project_takes_a_namespace_that_is_labelled(admitted: Kube, namespace: str) -> None:
    assert admitted.create({"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": namespace}})


# --- what the engine has not


@pytest.mark.parametrize(
    ("kind", "spec", "feature"),
    [
        (
            "Warehouse",
            {"subscriptions": [{"chart": {"repoURL": "oci://r/a"}}]},
            "Helm chart subscriptions (spec.subscriptions[0].chart)",
        ),
        ("Warehouse", {"shard": "s", "subscriptions": [{"image": {"repoURL": "r/a"}}]}, "sharding (spec.shard)"),
        ("ProjectConfig", {"webhookReceivers": [{"name": "r"}]}, "webhook receivers (spec.webhookReceivers)"),
        ("PromotionTask", {"steps": [{"uses": "helm-template"}]}, "step helm-template (spec.steps[0].uses)"),
        (
            "PromotionTask",
            {"steps": [{"uses": "git-commit", "config": {"author": {"signingKey": "k"}}}]},
            "signed commits (spec.steps[0].config.author.signingKey)",
        ),
    ],
)
def test_unsupported_features_are_refused(project: Project, kind: str, spec: Manifest, feature: str) -> None:
    with pytest.raises(KubeError) as error:
        project.create(kind, "w", spec=spec)
    assert error.value.message == UNSUPPORTED.format(kind.lower(), feature)


def test_unsupported_steps_are_refused_wherever_they_stand(demo: Project) -> None:
    step = {"uses": "helm-template"}
    with pytest.raises(KubeError, match=re.escape("step helm-template (spec.promotionTemplate.spec.steps[0].uses)")):
        demo.stage("s", step)
    with pytest.raises(KubeError, match=re.escape("step helm-template (spec.steps[0].uses)")):
        demo.promotion("p", demo.freight(), step)


def test_cluster_configs_are_refused(admitted: Kube) -> None:
    manifest = {"apiVersion": API_VERSION, "kind": "ClusterConfig", "metadata": {"name": "cluster"}}
    with pytest.raises(KubeError, match="not supported by the embedded engine: ClusterConfig"):
        admitted.create(manifest)


# ---


def causes(error: KubeError) -> dict[str, str]:
    """The refused fields and what is said of each."""
    return {cause["field"]: cause["message"] for cause in error.status["details"]["causes"]}


def grant(project: Project, name: str, rules: list[Manifest]) -> None:
    """Give alice rights in the project."""
    group = "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": project.namespace}
    project.kube.create({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules})
    project.kube.create(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "alice"}],
        }
    )
