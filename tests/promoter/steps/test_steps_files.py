"""Steps that touch files: what is copied, removed, rendered and rewritten, and that none leaves the work directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.promoter.steps import StepError
from gitops_e2e.promoter.steps.paths import escapes, secure_join

pytestmark = pytest.mark.node

IMAGE = {"repoURL": "r/app", "tag": "1.10", "digest": f"sha256:{'a' * 64}"}
FREIGHT = {"name": "f", "origin": {"kind": "Warehouse", "name": "w"}, "images": [IMAGE]}


def _write(steps: Any, **files: str) -> None:
    for name, text in files.items():
        file = steps.work_dir / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("a/b", "a/b"),
            ("./a/../b", "b"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("out/x", "etc/x"),
            ("up/x", "x"),
            ("chain/x", "etc/x"),
        ],
    )
    def test_stay_below_the_root(self, tmp_path: Path, path: str, found: str) -> None:
        (tmp_path / "out").symlink_to("/etc")
        (tmp_path / "up").symlink_to("../../..")
        (tmp_path / "chain").symlink_to("./out")
        assert secure_join(tmp_path, path) == tmp_path / found

    def test_link_to_itself_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(StepError, match="too many levels"):
            secure_join(tmp_path, "loop")

    @pytest.mark.parametrize(
        ("path", "leaves"), [("a/../b", False), ("a/../../b", True), ("../a", True), ("/..", True)]
    )
    def test_that_lead_out_are_known(self, path: str, *, leaves: bool) -> None:
        assert escapes(path) is leaves


class TestCopy:
    def test_directory_is_merged_into_what_is_there(self, steps: Any) -> None:
        _write(steps, in__a="new", in__deep__b="b", in___git__x="no", out__a="old", out__c="c")
        (steps.work_dir / "in/link").symlink_to("a")
        steps.run("copy", {"inPath": "in", "outPath": "out"})
        assert _tree(steps.work_dir / "out") == ["a", "c", "deep/b"]
        assert (steps.work_dir / "out/a").read_text() == "new"

    def test_file_goes_to_the_file_named(self, steps: Any) -> None:
        _write(steps, a="text")
        steps.run("copy", {"inPath": "a", "outPath": "new/place"})
        assert (steps.work_dir / "new/place").read_text() == "text"

    def test_ignored_is_what_gitignore_lines_say(self, steps: Any) -> None:
        _write(steps, in__keep_txt="", in__drop_log="", in__sub__important_log="", in__build__x="")
        config = {"inPath": "in", "outPath": "out", "ignore": "*.log\n!important.log\nbuild/\n"}
        steps.run("copy", config)
        assert _tree(steps.work_dir / "out") == ["keep.txt", "sub/important.log"]


class TestDelete:
    @pytest.mark.parametrize("path", ["file", "dir", "link"])
    def test_removes_what_is_named_and_no_more(self, steps: Any, path: str) -> None:
        _write(steps, file="", dir__x="", target__y="")
        (steps.work_dir / "link").symlink_to("target")
        steps.run("delete", {"path": path, "strict": True})
        assert not (steps.work_dir / path).is_symlink()
        assert not (steps.work_dir / path).exists()
        assert (steps.work_dir / "target/y").exists()

    def test_does_not_leave_the_work_directory(self, steps: Any) -> None:
        (steps.work_dir.parent / "precious").write_text("")
        with pytest.raises(StepError) as failure:
            steps.run("delete", {"path": "../precious"})
        assert failure.value.what == (
            'could not secure join path "../precious": path attempts to traverse outside the working directory'
        )
        assert (steps.work_dir.parent / "precious").exists()


class TestDocuments:
    def test_yaml_values_become_outputs(self, steps: Any) -> None:
        _write(steps, values_yaml="a: {b: [1, 2.5, x]}\nc: 2024-01-01\n---\nd: 1\n")
        outputs = [{"name": "n", "fromExpression": "a.b[1] + 1"}, {"name": "l", "fromExpression": "a.b"}]
        assert steps.run("yaml-parse", {"path": "values.yaml", "outputs": outputs}).output == {
            "n": 3.5,
            "l": [1, 2.5, "x"],
        }

    def test_json_values_become_outputs(self, steps: Any) -> None:
        _write(steps, a_json='{"a": {"b": null}}')
        outputs = [{"name": "n", "fromExpression": "a.b ?? 'none'"}]
        assert steps.run("json-parse", {"path": "a.json", "outputs": outputs}).output == {"n": "none"}

    @pytest.mark.parametrize(
        ("kind", "text", "expression", "message"),
        [
            ("yaml-parse", "", "a", "could not parse empty YAML file: f"),
            ("yaml-parse", "- a", "a", "f is not a mapping"),
            ("yaml-parse", "a: [", "a", "could not parse YAML file: yaml:"),
            ("json-parse", "{", "a", "could not parse JSON file: "),
            ("yaml-parse", "a: 1", "b", "unknown name b (1:1)"),
            ("yaml-parse", "a: 1", "1 +", "unexpected token EOF"),
        ],
    )
    def test_what_cannot_be_read_is_told(self, steps: Any, kind: str, text: str, expression: str, message: str) -> None:
        _write(steps, f=text)
        with pytest.raises(StepError) as failure:
            steps.run(kind, {"path": "f", "outputs": [{"name": "n", "fromExpression": expression}]})
        assert message in failure.value.what

    def test_json_update_tells_what_it_wrote(self, steps: Any) -> None:
        _write(steps, a_json='{"a": 1}')
        updates = [{"key": "a", "value": "x"}, {"key": "b.c", "value": 2}]
        result = steps.run("json-update", {"path": "a.json", "updates": updates})
        assert (steps.work_dir / "a.json").read_text() == '{"a": "x","b":{"c":2}}'
        assert result.output == {"commitMessage": 'Updated a.json\n\n- a: "x"\n- b.c: 2'}

    def test_yaml_update_of_a_block_keeps_the_rest(self, steps: Any) -> None:
        _write(steps, v_yaml="# head\na: 1 # inline\nb:\n  - c: x\n")
        steps.run("yaml-update", {"path": "v.yaml", "updates": [{"key": "b.0.c", "value": "1.10"}]})
        assert (steps.work_dir / "v.yaml").read_text() == '# head\na: 1 # inline\nb:\n  - c: "1.10"\n'


KUSTOMIZATION = "resources: [a.yaml]\n"


class TestKustomizeSetImage:
    def test_configured_images(self, steps: Any) -> None:
        _write(steps, k__kustomization_yaml=KUSTOMIZATION)
        images = [
            {"image": "r/b", "tag": "2"},
            {"image": "r/a", "name": "a", "newName": "mirror/a", "digest": "sha256:1"},
        ]
        result = steps.run("kustomize-set-image", {"path": "k", "images": images})
        assert (steps.work_dir / "k/kustomization.yaml").read_text() == (
            "resources: [a.yaml]\nimages:\n- name: a\n  newName: mirror/a\n  digest: sha256:1\n"
            '- name: r/b\n  newTag: "2"\n'
        )
        assert result.output == {
            "commitMessage": "Updated k to use new images\n\n- mirror/a@sha256:1\n- r/b:2",
        }

    def test_all_images_of_the_freight_by_tag_and_digest(self, steps: Any, namespace: str) -> None:
        _warehouse(steps, namespace, "w")
        _write(steps, k__Kustomization="kind: Kustomization\n")
        result = steps.run("kustomize-set-image", {"path": "k"}, freight=[FREIGHT], project=namespace)
        assert result.output["commitMessage"].endswith(f"image\n\n- r/app:1.10@{IMAGE['digest']}")
        assert 'newTag: "1.10"\n' in (steps.work_dir / "k/Kustomization").read_text()

    def test_image_of_two_warehouses_has_to_be_configured(self, steps: Any, namespace: str) -> None:
        other = {**FREIGHT, "origin": {"kind": "Warehouse", "name": "w2"}}
        _warehouse(steps, namespace, "w")
        _warehouse(steps, namespace, "w2")
        _write(steps, k__kustomization_yml=KUSTOMIZATION)
        with pytest.raises(StepError, match=r"^manual configuration required due to ambiguous result: multiple "):
            steps.run("kustomize-set-image", {"path": "k"}, freight=[FREIGHT, other], project=namespace)

    def test_two_kustomizations_are_one_too_many(self, steps: Any) -> None:
        _write(steps, k__kustomization_yml=KUSTOMIZATION, k__Kustomization=KUSTOMIZATION)
        with pytest.raises(StepError) as failure:
            steps.run("kustomize-set-image", {"path": "k", "images": [{"image": "a", "tag": "b"}]})
        assert failure.value.what == (
            'could not discover kustomization file: ambiguous result: found multiple Kustomization files in "k"'
        )


def _warehouse(steps: Any, namespace: str, name: str) -> None:
    steps.services.kube.create(
        {
            "apiVersion": "kargo.akuity.io/v1alpha1",
            "kind": "Warehouse",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"subscriptions": [{"image": {"repoURL": IMAGE["repoURL"]}}]},
        }
    )


class TestKustomizeBuild:
    @pytest.fixture
    def sources(self, steps: Any) -> None:
        _write(
            steps,
            base__kustomization_yaml="resources: [all.yaml]\nnamePrefix: My-\n",
            base__all_yaml=(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Conf, namespace: ns}\n"
                "data:\n  text: |\n    a\n    ---\n    b\n"
                "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: role}\n"
            ),
            overlay__kustomization_yaml="resources: [../base]\n",
        )

    @pytest.mark.usefixtures("sources")
    def test_directory_gets_a_file_a_resource(self, steps: Any) -> None:
        _write(steps, out__other_yaml="stays")
        steps.run("kustomize-build", {"path": "overlay", "outPath": "out"})
        out = steps.work_dir / "out"
        assert _tree(out) == ["clusterrole-my-role.yaml", "ns-configmap-my-conf.yaml", "other.yaml"]
        assert (out / "ns-configmap-my-conf.yaml").read_text() == (
            "apiVersion: v1\ndata:\n  text: |\n    a\n    ---\n    b\nkind: ConfigMap\n"
            "metadata:\n  name: My-Conf\n  namespace: ns\n"
        )
        assert (out / "clusterrole-my-role.yaml").stat().st_mode & 0o777 == 0o600

    @pytest.mark.usefixtures("sources")
    def test_file_gets_them_all(self, steps: Any) -> None:
        steps.run("kustomize-build", {"path": "./overlay", "outPath": "new/all.yml"})
        assert (steps.work_dir / "new/all.yml").read_text().count("\n---\n") == 1
        assert (steps.work_dir / "new").stat().st_mode & 0o777 == 0o700

    def test_error_is_kustomizes_own(self, steps: Any) -> None:
        with pytest.raises(StepError) as failure:
            steps.run("kustomize-build", {"path": "./nope", "outPath": "out"})
        nope = steps.work_dir / "nope"
        assert failure.value.what == (
            f"must build at directory: not a valid directory: evalsymlink failure on '{nope}' : "
            f"lstat {nope}: no such file or directory"
        )
