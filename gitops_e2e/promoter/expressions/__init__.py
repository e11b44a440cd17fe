"""Expressions: expr-lang's own evaluation, and the functions that look into the cluster for it."""

from gitops_e2e.promoter.expressions.artifacts import AmbiguousArtifact, Artifacts, ProjectReader
from gitops_e2e.promoter.expressions.evaluator import (
    CompilationFailed,
    Edited,
    Environment,
    Evaluator,
    ExpressionFailed,
    Named,
    Response,
    ResponseUnreadable,
    Result,
)
from gitops_e2e.promoter.expressions.functions import Function, data_functions, freight_functions

__all__ = [
    "AmbiguousArtifact",
    "Artifacts",
    "CompilationFailed",
    "Edited",
    "Environment",
    "Evaluator",
    "ExpressionFailed",
    "Function",
    "Named",
    "ProjectReader",
    "Response",
    "ResponseUnreadable",
    "Result",
    "data_functions",
    "freight_functions",
]
