"""Options that cannot be meant, and what needs neither root nor a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archives import SmallImage, write_tar
from tests.harness.running import AS_NOBODY, assert_refused, run

_ONE = ("-k", "Kubernetes")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cluster", "wrong"], ["invalid choice: 'wrong'", "'auto', 'node', 'kind', 'existing'"]),
        (["--budget", "nope=3"], ["there is no budget 'nope'", "--budget nope=3", "component_ready"]),
        (["--budget", "component_ready=soon"], ["'soon' is no time in seconds", "write component_ready=90"]),
        (["--reuse-cluster", "one", "--cluster-name", "other"], ["give one"]),
        (["--cluster", "existing"], ["--cluster existing needs --kubeconfig FILE"]),
        (["--cluster", "existing", "--kubeconfig", "a", "--reuse-cluster", "one"], ["to do: give one"]),
        (["--uninstall"], ["--uninstall is for --cluster existing"]),
        (["--context", "other"], ["--context is for --cluster existing"]),
        (["--registry", "example.com"], ["--registry is for --cluster existing"]),
        (["--registry-login", "file", "--reuse-cluster", "one"], ["--registry-login is for --registry"]),
        (["--registry", "b.com/A", "--reuse-cluster", "one"], ["'b.com/A' is no URL of a registry", "host[:port]"]),
        (["--kargo", "other"], ["invalid choice: 'other'", "'auto', 'real', 'engine'"]),
        (["--kargo", "real"], ["--kargo real needs image", "no bundle is given", "to do: give both in a bundle"]),
        (["--bundle", "/nonexistent"], ["the bundle cannot be read", "where: /nonexistent"]),
    ],
)
def test_options_that_say_nothing_are_refused_as_wrong_usage(options: list[str], words: list[str]) -> None:
    code, text = run(*_ONE, *options)

    assert code == pytest.ExitCode.USAGE_ERROR, text
    assert_refused(code, text, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cluster", "existing", "--kubeconfig", "/nonexistent"], ["the kubeconfig cannot be read: No such file"]),
        (["--cluster", "existing", "--kubeconfig", "/nonexistent", "-n", "2"], ["where: /nonexistent"]),
        (
            ["--reuse-cluster", "not-there"],
            ["no running node called not-there", "to do: start one with --keep-cluster"],
        ),
    ],
)
def test_a_cluster_that_cannot_be_had_is_told_last(options: list[str], words: list[str]) -> None:
    code, text = run(*_ONE, *options)

    assert_refused(code, text, *words)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_kind_without_a_docker_engine_says_how_to_get_one(options: tuple[str, ...]) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    code, text = run(*_ONE, "--cluster", "kind", *options, env=nowhere)

    assert_refused(code, text, "kind cannot run here: ", "to do: start Docker; `make test-kind` starts an engine")


@pytest.mark.parametrize("cluster", ["auto", "node"])
def test_who_is_not_root_is_told_so(cluster: str) -> None:
    code, text = run(*_ONE, "--cluster", cluster, within=AS_NOBODY)

    assert_refused(code, text, "the built-in node cannot run here", "only root", "to do: run as root")


def test_a_truncated_archive_is_refused_before_anything_is_begun(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "kargo.tar", SmallImage().layout("ghcr.io/akuity/kargo:v1.8.4"))
    whole.write_bytes(whole.read_bytes()[:2000])

    code, text = run(*_ONE, env={"GITOPS_E2E_BUNDLE": str(tmp_path)})

    assert code == pytest.ExitCode.USAGE_ERROR, text
    assert_refused(code, text, f"where: {whole}", "to do:")
    assert "cluster" not in text


def test_another_version_is_refused_before_anything_is_begun(tmp_path: Path) -> None:
    write_tar(tmp_path / "kargo.tar", SmallImage().saved("ghcr.io/akuity/kargo:v1.8.3"))

    code, text = run(*_ONE, "--bundle", str(tmp_path))

    assert code == pytest.ExitCode.USAGE_ERROR, text
    assert_refused(code, text, "the bundle has ghcr.io/akuity/kargo:v1.8.3, but v1.8.4 is what this stack is made for")


def test_collecting_needs_neither_root_nor_a_cluster() -> None:
    code, text = run("--collect-only", "-q", within=AS_NOBODY)

    assert code == 0, text
    assert "test_prod_canary_exceeds_150mb_and_rolls_back" in text
    assert "starting cluster" not in text


def test_help_needs_neither_root_nor_a_cluster() -> None:
    code, text = run("--help", within=AS_NOBODY)

    assert code == 0, text
    assert "--keep-cluster" in text
    assert "canary_started" in text


def test_scenarios_that_run_alone_come_last() -> None:
    listed = [run("--collect-only", "-q", *options) for options in ((), ("-m", "alone"))]

    everything, alone = ([line for line in text.splitlines() if "::" in line] for _, text in listed)
    assert alone
    assert everything[-len(alone) :] == alone
