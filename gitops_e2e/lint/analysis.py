"""AnalysisTemplates: their arguments, their conditions, and that the absence of data never passes.

Conditions are evaluated by the very library that Argo Rollouts 1.9 has, queries are parsed as Prometheus parses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import promql_parser

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Place, texts, value_at
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.manifests import Located
from gitops_e2e.lint.renders import Renders
from gitops_e2e.lint.wording import use_instead
from gitops_e2e.promoter.expressions import CompilationFailed, Evaluator, ExpressionFailed

KIND = "AnalysisTemplate"
_TAG = re.compile(r"\{\{(?P<name>.*?)\}\}", re.DOTALL)
_ARGUMENT = re.compile(r"args\.(?P<name>.+)")
_CONDITIONS = ("successCondition", "failureCondition")
_METRICS: Place = ("spec", "metrics")
_NO_DATA: Mapping[str, Sequence[str]] = {"an empty result": (), "NaN": ("NaN",)}
# What providers other than Prometheus may answer with: a condition is well-formed if it is for one of these.
_ANSWERS = (1.0, "text", True, [1.0], {"field": 1.0}, None)

Verdict = Literal["Successful", "Failed", "Inconclusive"]


@dataclass(frozen=True)
class Use:
    """Templates used together somewhere: by a step of a Rollout, or by a Stage's verification.

    `names` are of the templates, `place` is that of their list; `arguments` are given at `arguments_place`.
    """

    located: Located
    names: tuple[str, ...]
    place: Place
    arguments: tuple[str, ...]
    arguments_place: Place


def check(checkout: Checkout, renders: Renders, evaluator: Evaluator) -> Iterator[Finding]:
    """The templates of all stages as rendered, those that can be selected, those of `kargo/`, and how they are used."""
    for stage in renders.stages:
        templates = {each.manifest["metadata"]["name"]: each for each in renders.of_stage(stage, KIND)}
        uses = [use for rollout in renders.of_stage(stage, "Rollout") for use in uses_of_rollout(rollout)]
        yield from _templates(templates, uses, evaluator)
    for analysis in checkout.selectable_analyses:
        yield from _templates({analysis.manifest["metadata"]["name"]: analysis}, (), evaluator)
    verifications = [use for stage in checkout.of_kargo("Stage").values() for use in uses_of_stage(stage)]
    yield from _templates(checkout.of_kargo(KIND), verifications, evaluator)
    yield from _needless(renders)


def uses_of_rollout(rollout: Located) -> Iterator[Use]:
    """The analyses of a Rollout: in its steps, in the background, and around a switch from blue to green."""
    canary: Place = ("spec", "strategy", "canary")
    steps = value_at(rollout.manifest, (*canary, "steps")) or []
    places = [(*canary, "steps", index, "analysis") for index in range(len(steps))]
    blue_green: Place = ("spec", "strategy", "blueGreen")
    places += [(*canary, "analysis"), (*blue_green, "prePromotionAnalysis"), (*blue_green, "postPromotionAnalysis")]
    for place in places:
        if value_at(rollout.manifest, place):
            yield _use(rollout, (*place, "templates"), "templateName", (*place, "args"))


def uses_of_stage(stage: Located) -> Iterator[Use]:
    """The verification of a Stage."""
    place: Place = ("spec", "verification")
    if value_at(stage.manifest, place):
        yield _use(stage, (*place, "analysisTemplates"), "name", (*place, "args"))


def _use(located: Located, place: Place, field: str, arguments: Place) -> Use:
    templates = value_at(located.manifest, place) or []
    # Templates of the whole cluster are not among the files.
    names = tuple(each.get(field, "") for each in templates if not each.get("clusterScope"))
    given = value_at(located.manifest, arguments) or []
    return Use(located, names, place, tuple(each["name"] for each in given), arguments)


def _templates(templates: Mapping[str, Located], uses: Iterable[Use], evaluator: Evaluator) -> Iterator[Finding]:
    for template in templates.values():
        yield from _arguments(template)
        yield from _limits(template)
        for index, metric in enumerate(value_at(template.manifest, _METRICS) or []):
            yield from _metric(template, (*_METRICS, index), metric, evaluator)
    for use in uses:
        for index, name in enumerate(use.names):
            if name not in templates:
                yield use.located.find((*use.place, index), f"there is no {KIND} {name}", use_instead(name, templates))
            else:
                yield from _given(use, name, templates[name])


# --- arguments


def _declared(template: Manifest) -> dict[str, Manifest]:
    return {argument["name"]: argument for argument in template["spec"].get("args", [])}


def _arguments(template: Located) -> Iterator[Finding]:
    """Arguments that are used and not declared, or declared and not used."""
    declared = _declared(template.manifest)
    used: set[str] = set()
    for place, text in texts(template.manifest["spec"], ("spec",)):
        for tag in _TAG.finditer(text):
            name = _ARGUMENT.fullmatch(tag["name"].strip())
            if name is None:
                yield template.find(place, f"Argo Rollouts cannot resolve {tag[0]}", "write {{args.NAME}}")
            elif name["name"] not in declared:
                what = f"the argument {name['name']} of {tag[0]} is not declared"
                yield template.find(place, what, _declare(name["name"], declared))
            else:
                used.add(name["name"])
    for index, name_ in enumerate(declared):
        if name_ not in used:
            yield template.find(("spec", "args", index), f"no metric uses the argument {name_}", "remove it, or use it")


def _given(use: Use, name: str, template: Located) -> Iterator[Finding]:
    """Arguments without a value that nobody gives."""
    for argument in _declared(template.manifest).values():
        needs_value = "value" not in argument and "valueFrom" not in argument
        if needs_value and argument["name"] not in use.arguments:
            place = use.arguments_place if use.arguments else use.place
            what = f"the argument {argument['name']} of {KIND} {name} is not given"
            yield use.located.find(place, what, "give it a value in args")


def _needless(renders: Renders) -> Iterator[Finding]:
    """Arguments that a Rollout gives and that the template of no stage takes: Argo Rollouts drops them."""
    taken: dict[str, set[str]] = {}
    for template in (each for stage in renders.stages for each in renders.of_stage(stage, KIND)):
        taken.setdefault(template.manifest["metadata"]["name"], set()).update(_declared(template.manifest))
    for rollout in (each for stage in renders.stages for each in renders.of_stage(stage, "Rollout")):
        for use in uses_of_rollout(rollout):
            if not taken.keys() >= set(use.names):
                continue  # one is not there, as others tell
            known = set().union(*(taken[name] for name in use.names))
            for index, argument in enumerate(use.arguments):
                if argument not in known:
                    what = f"no {KIND} takes the argument {argument}"
                    yield rollout.find((*use.arguments_place, index, "name"), what, use_instead(argument, known))


# --- metrics


def _limits(template: Located) -> Iterator[Finding]:
    """What makes an AnalysisRun end in Error before its first measurement."""
    metrics = value_at(template.manifest, _METRICS) or []
    names = [metric.get("name") for metric in metrics]
    for index, metric in enumerate(metrics):
        place = (*_METRICS, index)
        if names.index(metric.get("name")) < index:
            yield template.find((*place, "name"), f"two metrics are called {metric['name']}", "rename one")
        providers = list(metric.get("provider") or {})
        if len(providers) != 1:
            what = f"the metric has {len(providers)} providers ({', '.join(providers)})" if providers else "no provider"
            yield template.find((*place, "provider"), what, "give the metric exactly one")
        count = _number(metric, "count")
        if count > 1 and not metric.get("interval"):
            yield template.find((*place, "count"), f"{count} measurements need an interval", "add interval")
        limit = max(_number(metric, "failureLimit"), 0) + _number(metric, "consecutiveSuccessLimit")
        for name, least in (("failureLimit", limit), ("inconclusiveLimit", _number(metric, "inconclusiveLimit"))):
            if 0 < count < least:
                what = f"Argo Rollouts refuses a count of {count} with {name} {metric.get(name, 0)}"
                yield template.find((*place, name), what, f"raise count to {least}, or lower {name}")


def _number(metric: Manifest, field: str) -> int:
    value = metric.get(field, 0)
    # A count may also be an argument, whose value is not known here.
    return int(value) if str(value).lstrip("-").isdigit() else 0


def _metric(template: Located, place: Place, metric: Manifest, evaluator: Evaluator) -> Iterator[Finding]:
    values = {name: str(argument.get("value", "1")) for name, argument in _declared(template.manifest).items()}
    conditions = {name: _filled(metric[name], values) for name in _CONDITIONS if metric.get(name)}
    prometheus = (metric.get("provider") or {}).get("prometheus")
    samples: list[Any] = [{"samples": ["1"]}] if prometheus else [{"result": answer} for answer in _ANSWERS]
    wrong = False
    for name, condition in conditions.items():
        if problem := _not_well_formed(condition, samples, evaluator):
            wrong = True
            yield template.find((*place, name), f"{name} does not compile: {problem}", "mend its syntax")
    if not conditions:
        what = "the metric has no condition, so that every answer is a success"
        yield template.find(place, what, "add successCondition")
    if prometheus:
        yield from _query(template, (*place, "provider", "prometheus", "query"), prometheus, values)
        if conditions and not wrong:
            yield from _without_data(template, place, conditions, evaluator)


def _not_well_formed(condition: str, samples: Iterable[Mapping[str, Any]], evaluator: Evaluator) -> str:
    """Why a condition does not compile for any of the answers; empty where it does for one."""
    problem = ""
    for sample in samples:
        try:
            evaluator.holds(condition, **sample)
        except CompilationFailed as error:
            problem = problem or error.what.partition("\n")[0]
        except ExpressionFailed:
            return ""
        else:
            return ""
    return problem


def _without_data(
    template: Located, place: Place, conditions: Mapping[str, str], evaluator: Evaluator
) -> Iterator[Finding]:
    """What becomes of a measurement when Prometheus has no data: it must not be a success, nor an error."""
    for absence, samples in _NO_DATA.items():
        held: dict[str, bool] = {}
        for name, condition in conditions.items():
            try:
                held[name] = evaluator.holds(condition, samples=samples)
            except ExpressionFailed as error:
                what = f"{name} fails for {absence}: {error.what.partition(chr(10))[0]}"
                yield template.find((*place, name), what, "begin it with: len(result) > 0 &&")
        if len(held) == len(conditions) and _verdict(held) == "Successful":
            name = "successCondition" if "successCondition" in conditions else "failureCondition"
            what = f"{absence} counts as a success"
            mend = "let successCondition begin with: len(result) > 0 && !isNaN(result[0]) &&"
            yield template.find((*place, name), what, mend)


def _verdict(held: Mapping[str, bool]) -> Verdict:
    """What Argo Rollouts makes of the conditions that there are."""
    succeeded = held.get("successCondition", not held.get("failureCondition", False))
    if held.get("failureCondition", not succeeded):
        return "Failed"
    return "Successful" if succeeded else "Inconclusive"


# --- queries


def _query(template: Located, place: Place, prometheus: Manifest, values: Mapping[str, str]) -> Iterator[Finding]:
    query = _filled(prometheus.get("query", ""), values)
    try:
        tree = promql_parser.parse(query)
    except ValueError as error:
        yield template.find(place, f"this is no PromQL: {' '.join(str(error).split())}", "mend the query")
        return
    if number := _default_number(tree):
        what = f"the query gives {number} where Prometheus has no data"
        yield template.find(place, what, f"leave out: or vector({number})")


def _default_number(tree: Any) -> str:
    """The number that stands in for an empty result (`… or vector(0)`); empty where none does."""
    while isinstance(tree, promql_parser.ParenExpr):
        tree = tree.expr
    if isinstance(tree, promql_parser.BinaryExpr) and str(tree.op).lower() == "or":
        right = tree.rhs
        while isinstance(right, promql_parser.ParenExpr):
            right = right.expr
        if isinstance(right, promql_parser.Call) and right.func.name == "vector":
            return str(right.args[0])
    return ""


def _filled(text: Any, values: Mapping[str, str]) -> str:
    """A text with its arguments put in, where they are known."""

    def value(tag: re.Match[str]) -> str:
        name = _ARGUMENT.fullmatch(tag["name"].strip())
        return values.get(name["name"], "1") if name else "1"

    return _TAG.sub(value, str(text))


def _declare(name: str, declared: Iterable[str]) -> str:
    likely = get_close_matches(name, list(declared), n=1)
    return f"use args.{likely[0]}" if likely else f"declare {name} in spec.args"
