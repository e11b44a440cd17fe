"""What the API says of each kind, at the versions that are pinned: the core, and the custom resources' definitions.

A field that no schema defines is an error here, while an API server drops it without a word. Rules in CEL
(x-kubernetes-validations) are left to the API server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from gitops_e2e.cache import Cache, digest
from gitops_e2e.lint.documents import Place, dotted, values
from gitops_e2e.promoter.api import crds
from gitops_e2e.promoter.api.kinds import API_VERSION as KARGO
from gitops_e2e.toolchain import Toolchain

_ARGO = "argoproj.io/v1alpha1"
_ROLLOUTS = "github.com/argoproj/argo-rollouts"
_ARGO_CD = "github.com/argoproj/argo-cd/v3"
_KUBERNETES = "k8s.io/kubernetes"
_DEFINITIONS = {
    "Rollout": (_ROLLOUTS, "rollout-crd.yaml"),
    "AnalysisTemplate": (_ROLLOUTS, "analysis-template-crd.yaml"),
    "ClusterAnalysisTemplate": (_ROLLOUTS, "cluster-analysis-template-crd.yaml"),
    "ApplicationSet": (_ARGO_CD, "applicationset-crd.yaml"),
    "Application": (_ARGO_CD, "application-crd.yaml"),
    "AppProject": (_ARGO_CD, "appproject-crd.yaml"),
}
_METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_REFERENCE = "#/components/schemas/"
_FEW = 12
_EXPRESSION = re.compile(r"\$\{\{.*\}\}", re.DOTALL)

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Complaint:
    """What a schema has against the value at a place, and how to mend it."""

    place: Place
    what: str
    mend: str


class UnknownKind(Exception):
    """No API at hand has the kind."""


class Schemas:
    """The schemas of all kinds, taken from Go modules once and kept in the cache."""

    def __init__(self, cache: Cache, toolchain: Toolchain) -> None:
        self._cache = cache
        self._toolchain = toolchain
        self._known: dict[tuple[str, str], Schema] = {}

    def complaints(self, manifest: Mapping[str, Any]) -> Iterator[Complaint]:
        """What the API has against an object. Raises UnknownKind."""
        kind = str(manifest.get("kind"))
        yield from complaints(self.of(str(manifest.get("apiVersion")), kind), manifest, kind)

    def of(self, api_version: str, kind: str) -> Schema:
        """The schema of a kind. Raises UnknownKind; CommandFailed where a module cannot be downloaded."""
        key = (api_version, kind)
        if key not in self._known:
            self._known[key] = self._kept(api_version, kind)
        return self._known[key]

    def _kept(self, api_version: str, kind: str) -> Schema:
        versions = [self._toolchain.version(module) for module in (_ROLLOUTS, _ARGO_CD, _KUBERNETES)]
        own = [Path(__file__), Path(crds.__file__).parent] if api_version == KARGO else [Path(__file__)]
        key = digest(api_version, kind, *versions, *own)

        def keep(folder: Path) -> None:
            (folder / "schema.json").write_text(json.dumps(self._made(api_version, kind)))

        schema: Schema = json.loads((self._cache.entry("schemas", key, keep) / "schema.json").read_text())
        return schema

    def _made(self, api_version: str, kind: str) -> Schema:
        if api_version == _ARGO and kind in _DEFINITIONS:
            module, file = _DEFINITIONS[kind]
            path = self._toolchain.module_dir(module) / "manifests" / "crds" / file
            return self._with_metadata(_version(yaml.load(path.read_text(), Loader=yaml.CSafeLoader), api_version))
        if api_version == KARGO:
            for definition in crds.manifests():
                if definition["spec"]["names"]["kind"] == kind:
                    return self._with_metadata(_version(definition, api_version))
        if api_version.partition("/")[0] in {"argoproj.io", "kargo.akuity.io"}:
            raise UnknownKind
        return self._core(api_version, kind)

    def _with_metadata(self, definition: Schema) -> Schema:
        """The schema of a custom resource, whose metadata is that of every object."""
        closed = _closed(definition)
        metadata = _reachable(self._components("v1"), _METADATA)
        closed["properties"]["metadata"] = {"$ref": _REFERENCE + _METADATA}
        return {**closed, "components": {"schemas": metadata}}

    def _core(self, api_version: str, kind: str) -> Schema:
        components = self._components(api_version)
        name = next((name for name, each in components.items() if _is(each, api_version, kind)), None)
        if name is None:
            # Parts of objects, such as a pod template, have no kind of their own.
            name = next(
                (name for name in components if name.startswith("io.k8s.api.") and name.endswith(f".{kind}")), ""
            )
        if not name:
            raise UnknownKind
        return {"$ref": _REFERENCE + name, "components": {"schemas": _reachable(components, name)}}

    def _components(self, api_version: str) -> dict[str, Any]:
        file = ("api__" if "/" not in api_version else "apis__") + api_version.replace("/", "__") + "_openapi.json"
        path = self._toolchain.module_dir(_KUBERNETES) / "api" / "openapi-spec" / "v3" / file
        if not path.is_file():
            raise UnknownKind
        components: dict[str, Any] = json.loads(path.read_text())["components"]["schemas"]
        return components


def _version(definition: Mapping[str, Any], api_version: str) -> Schema:
    """The schema of one version of a custom resource definition. Raises UnknownKind."""
    for version in definition["spec"]["versions"]:
        if version["name"] == api_version.rpartition("/")[2]:
            schema: Schema = version["schema"]["openAPIV3Schema"]
            return schema
    raise UnknownKind


def _is(component: Mapping[str, Any], api_version: str, kind: str) -> bool:
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "kind": kind, "version": version}
    return wanted in component.get("x-kubernetes-group-version-kind", [])


def _reachable(components: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The component and all that it refers to, closed."""
    reached: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached[current] = _closed(components[current])
            waiting += _references(components[current])
    return reached


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_REFERENCE)
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _closed(schema: Any) -> Any:
    """A structural schema in which a field that nobody defined is an error."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        closed["additionalProperties"] = False
    return closed


# --- holding a document against a schema


def complaints(schema: Schema, document: Any, kind: str) -> Iterator[Complaint]:
    """What a schema has against a document; `kind` is what the document is called."""
    yield from _complaints(Draft202012Validator(schema), document, kind)


def complaints_of_template(schema: Schema, document: Any, kind: str) -> Iterator[Complaint]:
    """The same, where a text with an expression in it may become anything."""
    yield from _complaints(_TemplateValidator(schema), document, kind)


def _complaints(validator: Any, document: Any, kind: str) -> Iterator[Complaint]:
    for error in validator.iter_errors(document):
        yield from _told(error, kind)


def _told(error: ValidationError, kind: str) -> Iterator[Complaint]:
    place: Place = tuple(error.absolute_path)
    schema: Any = error.schema
    wanted: Any = error.validator_value
    instance: Any = error.instance
    shown = dotted(place) or "it"
    if error.validator == "additionalProperties" and isinstance(instance, dict):
        known = sorted(schema.get("properties", {}))
        for field in sorted(set(instance) - set(known)):
            inner = (*place, field)
            yield Complaint(inner, f"{dotted(inner)} is no field of {kind}", _spelling(str(field), known))
    elif error.validator == "required":
        missing = [field for field in wanted if field not in instance]
        yield Complaint(place, f"{shown} lacks {' and '.join(missing)}", f"add {' and '.join(missing)}")
    elif error.validator == "enum":
        allowed = ", ".join(map(json.dumps, wanted))
        yield Complaint(place, f"{shown} is {_shown(instance)}", f"use one of: {allowed}")
    elif error.validator == "type":
        yield Complaint(place, f"{shown} is {_shown(instance)}", f"make it of type {wanted}")
    else:
        yield Complaint(place, f"{shown}: {error.message}", f"give what the schema of {kind} asks for")


def _spelling(wrong: str, known: list[str]) -> str:
    by_lower_case = {field.lower(): field for field in known}
    if likely := get_close_matches(wrong.lower(), by_lower_case, n=1):
        return f"write {by_lower_case[likely[0]]}, or remove it"
    few = ", ".join(known[:_FEW]) + (" …" if len(known) > _FEW else "")
    return f"remove it, or use one of: {few}" if known else "remove it"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _is_open(value: Any) -> bool:
    """Whether a text is nothing but an expression, so that it may become anything."""
    return isinstance(value, str) and bool(_EXPRESSION.fullmatch(value.strip()))


def _tolerant(check: Any) -> Any:
    def tolerant(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not _is_open(instance):
            yield from check(validator, wanted, instance, schema) or ()

    return tolerant


def _one_of(validator: Any, alternatives: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """What may become anything fits more than one alternative."""
    undecided = any(map(_is_open, (value for _, value in values(instance))))
    keyword = "anyOf" if undecided else "oneOf"
    yield from Draft202012Validator.VALIDATORS[keyword](validator, alternatives, instance, schema) or ()


_BY_VALUE = ("type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum")
_TemplateValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"oneOf": _one_of, **{name: _tolerant(Draft202012Validator.VALIDATORS[name]) for name in _BY_VALUE}},
)
