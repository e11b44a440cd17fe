"""The Go command behind expressions: what it gives, what it refuses, and that it stays usable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.expressions import (
    AmbiguousArtifact,
    Artifacts,
    CompilationFailed,
    Environment,
    Evaluator,
    ExpressionFailed,
    Named,
    ProjectReader,
    Response,
    freight_functions,
)
from gitops_e2e.promoter.expressions.process import LineProcess, LineProcessFailed

OPEN = Environment()


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain 1.10", "plain 1.10"),
        ("1.10", "1.10"),
        ("${{ '1.10' }}", 1.1),
        ("${{ quote('1.10') }}", "1.10"),
        ("${{ '1.10' }}\n", 1.1),
        ("${{ 'text' }}\n", "text\n"),
        ("${{ 1 }}${{ 2 }}", 12),
        ("v${{ 1 }}", "v1"),
        ("${{ nil }}-x", "null-x"),
        ("${{ quote({'a': 1}) }}", '{\\"a\\":1}'),
        ("${{ unsafeQuote({'a': 1}) }}", '{"a":1}'),
        ("${{ semverDiff('1.0.0-a', '1.0.0-b') }}", "None"),
        ("${{ [1, nil] }}", [1, None]),
    ],
)
def test_rendered_text_is_typed_by_its_looks(evaluator: Evaluator, template: str, value: Any) -> None:
    rendered = evaluator.render(template, OPEN)
    assert (type(rendered), rendered) == (type(value), value)


def test_values_at_any_depth_are_rendered_and_keys_are_not(evaluator: Evaluator) -> None:
    template = {"${{ 1 }}": [{"a": "${{ vars.x }}"}, 5, None, True]}
    environment = Environment(data={"vars": {"x": "y"}})
    assert evaluator.render(template, environment) == {"${{ 1 }}": [{"a": "y"}, 5, None, True]}


def test_unclosed_tag_is_told(evaluator: Evaluator) -> None:
    with pytest.raises(ExpressionFailed, match=r"^error parsing template: Cannot find end tag=\"}}\""):
        evaluator.render("${{ 1", OPEN)


def test_not_a_number_is_no_json(evaluator: Evaluator) -> None:
    with pytest.raises(ExpressionFailed, match="unsupported value: NaN"):
        evaluator.render("${{ 'NaN' }}", OPEN)


def test_step_metas_are_objects_with_go_names(evaluator: Evaluator) -> None:
    environment = Environment(step_metas={"a": {"alias": "a", "status": "Errored", "errorCount": 2}})
    assert evaluator.render("${{ stepMetas.a.Status }} ${{ stepMetas.a.ErrorCount }}", environment) == "Errored 2"


def test_unknown_name_is_refused_only_where_all_names_are_known(evaluator: Evaluator) -> None:
    environment = Environment(data={"known": 1})
    assert evaluator.evaluate("unknown", environment).value is None
    with pytest.raises(CompilationFailed, match=r"^unknown name unknown \(1:1\)"):
        evaluator.evaluate("unknown", environment, closed=True)


def test_response_has_headers_by_any_spelling(evaluator: Evaluator) -> None:
    environment = Environment(response=Response(200, {"X-Trace": ["1", "2"]}, {"a": [1]}))
    result = evaluator.evaluate(
        "response.header('x-trace') + string(response.status) + string(response.body.a[0])", environment
    )
    assert (result.value, result.go_type) == ("12001", "string")
    assert evaluator.evaluate("response.headers['X-Trace'][1]", environment).value == "2"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("imageFrom('r').tag", "type v1alpha1.Image has no field tag (1:16)"),
        ("warehouse('').Name", "name must not be empty (1:1)"),
    ],
)
def test_artifacts_have_fields(evaluator: Evaluator, expression: str, message: str) -> None:
    environment = Environment(functions={"imageFrom": lambda *_: None})
    with pytest.raises(ExpressionFailed) as failure:
        evaluator.render(f"${{{{{expression}}}}}", environment)
    assert failure.value.what.splitlines()[0] == message


class _Breaks(Exception):
    pass


def _raising(error: Exception) -> Callable[[str], Any]:
    def function(_name: str) -> Any:
        raise error

    return function


def test_error_of_a_function_is_the_error_of_the_expression(evaluator: Evaluator) -> None:
    environment = Environment(functions={"secret": _raising(HarnessError("no such luck", remedy="wait"))})
    with pytest.raises(ExpressionFailed, match=r"^no such luck \(1:2\)\n \|  secret\('a'\) \n"):
        evaluator.render("${{ secret('a') }}", environment)


def test_defect_in_a_function_does_not_spoil_the_next_request(evaluator: Evaluator) -> None:
    with pytest.raises(_Breaks):
        evaluator.render("${{ secret('a') }}", Environment(functions={"secret": _raising(_Breaks())}))
    assert evaluator.render("${{ 1 }}", OPEN) == 1


@pytest.mark.parametrize(("argv", "message"), [(["/nowhere/expr"], "cannot start"), (["true"], "ended unexpectedly")])
def test_command_that_does_not_answer_is_told(argv: list[str], message: str) -> None:
    with pytest.raises(LineProcessFailed, match=message):
        LineProcess(argv).exchange("{}", timeout=30)


def test_silent_command_is_ended(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n")
    silent.chmod(0o755)
    with pytest.raises(LineProcessFailed, match="did not answer in time"):
        LineProcess([str(silent)]).exchange("{}", timeout=0.1)


class TestArtifacts:
    """Which Warehouse an address stands for."""

    ORIGINS = (Origin("Warehouse", "a"), Origin("Warehouse", "b"))
    FREIGHT = (
        {
            "name": "1",
            "origin": {"kind": "Warehouse", "name": "a"},
            "images": [{"repoURL": "r/x", "tag": "1"}],
            "commits": [{"repoURL": "https://Host/x.git", "id": "c1"}],
            "charts": [{"repoURL": "https://charts", "name": "n", "version": "3"}],
        },
        {"name": "2", "origin": {"kind": "Warehouse", "name": "b"}, "images": [{"repoURL": "r/x", "tag": "2"}]},
    )

    @pytest.fixture
    def environment(self, kube: Any, namespace: str) -> Environment:
        git, image = {"git": {"repoURL": "https://host/x"}}, {"image": {"repoURL": "r/x"}}
        chart = {"chart": {"repoURL": "https://charts", "name": "n"}}
        for name, subscriptions in (("a", [git, image, chart]), ("b", [image])):
            kube.create(
                {
                    "apiVersion": "kargo.akuity.io/v1alpha1",
                    "kind": "Warehouse",
                    "metadata": {"name": name, "namespace": namespace},
                    "spec": {"subscriptions": subscriptions},
                }
            )
        reader = ProjectReader(kube, namespace)
        return Environment(functions=freight_functions(reader, Artifacts(reader, self.ORIGINS, self.FREIGHT)))

    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("imageFrom('r/x', warehouse('a')).Tag + 'x'", "1x"),
            ("imageFrom('r/x', warehouse('b')).Tag + 'x'", "2x"),
            ("commitFrom('https://u:p@HOST/x/').ID", "c1"),
            ("chartFrom('https://charts', 'n').Version + 'x'", "3x"),
            ("chartFrom('https://charts', 'n', warehouse('a')).Name", "n"),
            ("imageFrom('r/y')", None),
        ],
    )
    def test_found(self, evaluator: Evaluator, environment: Environment, expression: str, value: Any) -> None:
        assert evaluator.render(f"${{{{ {expression} }}}}", environment) == value

    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            (
                "imageFrom('r/x').Tag",
                "multiple requested Freight could potentially provide a container image from repository r/x: please",
            ),
            (
                "chartFrom('https://charts', 'n', warehouse('b'))",
                'chart "n" from repo https://charts not found in referenced Freight',
            ),
        ],
    )
    def test_refused(self, evaluator: Evaluator, environment: Environment, expression: str, message: str) -> None:
        with pytest.raises(ExpressionFailed) as failure:
            evaluator.render(f"${{{{ {expression} }}}}", environment)
        assert failure.value.what.startswith(message)

    def test_ambiguity_is_an_error_of_its_own(self, environment: Environment) -> None:
        with pytest.raises(AmbiguousArtifact):
            environment.functions["imageFrom"]("r/x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("commitDate.Year() >= 2024", True),
        ("commitDate.After(date('2025-01-01'))", False),
        ("commitDate < now()", True),
        ("string(commitDate)", "2024-05-01 10:00:00 +0000 UTC"),
    ],
)
def test_times_are_times(evaluator: Evaluator, expression: str, value: Any) -> None:
    environment = Environment(times={"commitDate": "2024-05-01T10:00:00Z"})
    assert evaluator.evaluate(expression, environment).value == value


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("plain", []),
        ("${{ vars.x }}", [Named((("vars", "x"),), ())]),
        ("${{ task.outputs['a-b'].c }}", [Named((("task", "outputs", "a-b", "c"),), ())]),
        ("${{ outputs.a?.b }}", [Named((("outputs", "a", "b"),), ())]),
        ("${{ vars[ctx.stage] }}", [Named((("ctx", "stage"), ("vars",)), ())]),
        ("${{ let x = 1; x + vars.y }}", [Named((("vars", "y"),), ())]),
        ("${{ map([1], # + vars.y) }}", [Named((("vars", "y"),), ())]),
        ("a ${{ nothing(1) }} ${{ len('x') }}", [Named((), ("nothing",)), Named((), ())]),
        ("${{ quote(imageFrom(vars.repo).Tag) }}", [Named((("vars", "repo"),), ("imageFrom", "quote"))]),
    ],
)
def test_what_expressions_name_is_told_without_evaluating_them(
    evaluator: Evaluator, template: str, named: list[Named]
) -> None:
    assert evaluator.inspect(template, ["imageFrom"]) == named


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("${{ vars. }}", "unexpected end of expression"),
        ("${{ imageFrom('r').tag }}", "type v1alpha1.Image has no field tag"),
        ("${{ imageFrom(1).Tag }}", "not enough arguments to call imageFrom"),
        ("${{ vars.x", "Cannot find end tag"),
    ],
)
def test_what_does_not_compile_is_told_without_evaluating_it(evaluator: Evaluator, template: str, words: str) -> None:
    with pytest.raises(ExpressionFailed, match=words):
        evaluator.inspect(template, ["imageFrom"])


@pytest.mark.parametrize(
    ("condition", "samples", "truth"),
    [
        ("len(result) > 0 && result[0] <= 5", ["5"], True),
        ("len(result) > 0 && result[0] <= 5", [], False),
        ("isNaN(result[0])", ["NaN"], True),
        ("isInf(result[0])", ["+Inf"], True),
        ("asInt(result[0]) == 1 && asFloat(result[0]) == 1.5", ["1.5"], True),
    ],
)
def test_conditions_of_prometheus_are_evaluated_as_argo_rollouts_does(
    evaluator: Evaluator, condition: str, samples: list[str], truth: bool
) -> None:
    assert evaluator.holds(condition, samples=samples) is truth


@pytest.mark.parametrize(
    ("condition", "result", "truth"),
    [
        ('result == "healthy"', "healthy", True),
        ("result.count >= 1", {"count": 0}, False),
        ("asInt(result) > 1", "2", True),
        ("isNil(result)", None, True),
        ("default(result, 7) == 7", None, True),
    ],
)
def test_conditions_of_other_providers_are_evaluated_as_argo_rollouts_does(
    evaluator: Evaluator, condition: str, result: Any, truth: bool
) -> None:
    assert evaluator.holds(condition, result=result) is truth


@pytest.mark.parametrize(
    ("condition", "failure", "words"),
    [
        ("results > 1", CompilationFailed, "unknown name results"),
        ("result = 1", CompilationFailed, "unexpected token"),
        ("asInt(result)", ExpressionFailed, "expected bool, but got int64"),
    ],
)
def test_conditions_that_are_none_are_told(
    evaluator: Evaluator, condition: str, failure: type[ExpressionFailed], words: str
) -> None:
    with pytest.raises(failure, match=words):
        evaluator.holds(condition, result=2)
