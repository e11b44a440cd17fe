"""How the steps of a Promotion follow each other: skipping, failing, waiting, and what they know of each other."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.kube import Ref

pytestmark = pytest.mark.node


def compose(alias: str, _extra: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    return {"uses": "compose-output", "as": alias, "config": config, **(_extra or {})}


def failing(alias: str, **fields: Any) -> dict[str, Any]:
    return {"uses": "delete", "as": alias, "config": {"path": "nope", "strict": True}, **fields}


def endings(status: dict[str, Any]) -> dict[str, str]:
    return {record["alias"]: record["status"] for record in status["stepExecutionMetadata"]}


class TestOrder:
    def test_steps_after_a_failure_are_skipped_unless_they_ask_to_run(self, project: Any) -> None:
        status = project.run(
            failing("bad"),
            compose("plain", v=1),
            compose("onfail", {"if": "${{ failure() }}"}, v="${{ status('bad') }}"),
            compose("onsuccess", {"if": "${{ success() }}"}, v=1),
            compose("always", {"if": "${{ always() }}"}, v="${{ stepMetas.bad.ErrorCount }}"),
        )
        assert endings(status) == {
            "bad": "Errored",
            "plain": "Skipped",
            "onfail": "Succeeded",
            "onsuccess": "Skipped",
            "always": "Succeeded",
        }
        assert (status["phase"], status["message"]) == ("Errored", status["stepExecutionMetadata"][0]["message"])
        assert status["state"] == {"onfail": {"v": "Errored"}, "always": {"v": 1}}
        assert status["currentStep"] == 4

    def test_step_that_may_fail_counts_for_nothing(self, project: Any) -> None:
        status = project.run(failing("bad", continueOnError=True), compose("next", v="${{ failure() }}"))
        assert (status["phase"], endings(status)) == ("Succeeded", {"bad": "Errored", "next": "Succeeded"})
        assert status["state"] == {"next": {"v": False}}
        assert "message" not in status

    def test_message_is_that_of_the_first_of_the_worst(self, project: Any) -> None:
        status = project.run(
            failing("one"), failing("two", **{"if": "${{ always() }}"}), {"uses": "nope", "as": "three"}
        )
        assert status["message"].startswith('step "one" met error threshold of 1')
        assert "finishedAt" not in status["stepExecutionMetadata"][2]

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ("true", "expression must evaluate to a boolean"),
            ("${{ 'yes' }}", "expression must evaluate to a boolean"),
            ("${{ nope.x }}", "cannot fetch x from <nil> (1:7)\n |  nope.x \n | ......^"),
        ],
    )
    def test_condition_has_to_be_a_boolean(self, project: Any, condition: str, message: str) -> None:
        status = project.run(compose("a", {"if": condition}, v=1))
        assert status["message"] == f'error checking if step "a" should be skipped: {message}'
        assert status["stepExecutionMetadata"] == [{"alias": "a", "status": "Errored", "message": status["message"]}]
        assert "state" not in status


class TestVariables:
    def test_later_ones_win_and_see_earlier_ones(self, project: Any) -> None:
        step = compose("o", {"vars": [{"name": "b", "value": "${{ vars.a }}-step"}]}, v="${{ vars.b }}")
        variables = [{"name": "a", "value": "1"}, {"name": "a", "value": "2x"}, {"name": "b", "value": "promotion"}]
        assert project.run(step, vars=variables)["state"] == {"o": {"v": "2x-step"}}

    def test_steps_variables_see_outputs_and_promotions_do_not(self, project: Any) -> None:
        status = project.run(
            compose("one", v="x"),
            compose("two", {"vars": [{"name": "s", "value": "${{ outputs.one.v }}"}]}, v="${{ vars.s }}"),
        )
        assert status["state"]["two"] == {"v": "x"}
        status = project.run(compose("one", v="x"), vars=[{"name": "p", "value": "${{ outputs.one.v }}"}])
        assert status["message"].startswith(
            "an unrecoverable error occurred: failed to get step config: "
            'error pre-processing promotion variable "p": cannot fetch one from <nil>'
        )

    def test_functions_of_the_moment_are_no_part_of_variables(self, project: Any) -> None:
        status = project.run(compose("o", v="${{ vars.p }}"), vars=[{"name": "p", "value": "${{ always() }}"}])
        assert "reflect: call of reflect.Value.Call on zero Value" in status["message"]

    def test_freight_is_known_everywhere(self, project: Any) -> None:
        variables = [{"name": "tag", "value": '${{ imageFrom("registry.example.com/app").Tag }}'}]
        status = project.run(compose("o", raw="${{ vars.tag }}", text="${{ quote(vars.tag) }}"), vars=variables)
        assert status["state"]["o"] == {"raw": 1.1, "text": "1.1"}


class TestTasks:
    def test_steps_of_a_task_know_each_other_by_their_own_names(self, project: Any) -> None:
        status = project.run(
            compose("go::one", v="x"),
            compose("go::two", v="${{ task.outputs.one.v }}-${{ status('one') }}"),
            compose("other::one", v="${{ status('two') }}${{ len(task.outputs) }}"),
        )
        assert status["state"]["go::two"] == {"v": "x-Succeeded"}
        assert status["state"]["other::one"] == {"v": 0}

    def test_what_a_task_composes_is_the_output_of_the_task(self, project: Any) -> None:
        status = project.run(
            compose("go::one", a=1), compose("go::two", b=2), compose("o", v="${{ outputs.go.a + outputs.go.b }}")
        )
        assert status["state"]["go"] == {"a": 1, "b": 2}
        assert status["state"]["o"] == {"v": 3}

    def test_step_of_a_task_is_not_found_from_outside(self, project: Any) -> None:
        status = project.run(compose("go::one", v=1), compose("o", v="[${{ status('go::one') }}]"))
        assert status["state"]["o"] == {"v": []}


class TestRetries:
    def test_error_below_the_threshold_is_tried_again(self, project: Any) -> None:
        promotion = project.create(failing("flaky", retry={"errorThreshold": 3}), compose("next", v=1))
        assert project.look(promotion) == 300
        status = project.status(promotion)
        (record,) = status["stepExecutionMetadata"]
        reason = 'error running step "flaky": failed to delete "nope": lstat nope: no such file or directory'
        assert (status["phase"], record["status"], record["errorCount"]) == ("Running", "Errored", 1)
        assert record["message"] == f"{reason}; step will be retried"
        assert "finishedAt" not in record
        (project.work / f"promotion-{promotion['metadata']['uid']}" / "nope").touch()
        assert project.look(promotion) is None
        status = project.status(promotion)
        assert (status["phase"], endings(status)) == ("Succeeded", {"flaky": "Succeeded", "next": "Succeeded"})
        assert "message" not in status["stepExecutionMetadata"][0]

    def test_threshold_ends_it(self, project: Any) -> None:
        promotion = project.create(failing("flaky", retry={"errorThreshold": 2}))
        project.look(promotion)
        assert project.look(promotion) is None
        status = project.status(promotion)
        assert status["message"].startswith('step "flaky" met error threshold of 2: error running step "flaky": ')
        assert status["stepExecutionMetadata"][0]["errorCount"] == 2

    def test_terminal_error_is_not_tried_again(self, project: Any) -> None:
        status = project.run({"uses": "delete", "as": "d", "config": {}, "retry": {"errorThreshold": 9}})
        assert status["message"] == (
            'an unrecoverable error occurred: error running step "d": invalid delete config: (root): path is required'
        )
        assert "errorCount" not in status["stepExecutionMetadata"][0]

    def test_timeout_has_to_be_a_duration(self, project: Any) -> None:
        status = project.run(compose("a", {"retry": {"timeout": "5 minutes"}}, v=1))
        assert status["message"] == "invalid retry.timeout of step \"a\": '5 minutes' is no duration"

    def test_timeout_shortens_the_pause_and_ends_the_step(self, project: Any) -> None:
        promotion = project.create(failing("flaky", retry={"errorThreshold": 99, "timeout": "1m"}))
        pause = project.look(promotion)
        assert pause is not None
        assert 50 < pause <= 60
        _back_date(project, promotion, "2026-01-01T00:00:00Z")
        assert project.look(promotion) is None
        assert project.status(promotion)["message"] == 'step "flaky" timed out after 1m0s'


def _back_date(project: Any, promotion: dict[str, Any], moment: str) -> None:
    records = project.status(promotion)["stepExecutionMetadata"]
    patch = {"status": {"stepExecutionMetadata": [{**record, "startedAt": moment} for record in records]}}
    project.kube.patch(Ref.of(promotion), patch, subresource="status")
