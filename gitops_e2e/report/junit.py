"""A run as JUnit XML: a suite for each feature, a test case for each scenario."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from gitops_e2e.report.book import Book, Case, Document, Status
from gitops_e2e.report.record import RunRecord

# What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAILURES: frozenset[Status] = frozenset({"failed", "undefined"})
_ERRORS: frozenset[Status] = frozenset({"error", "interrupted"})
_SKIPPED: frozenset[Status] = frozenset({"skipped", "xfailed", "not run"})


def junit(run: RunRecord, book: Book) -> str:
    """The document."""
    suites = ET.Element("testsuites", {"name": f"gitops-e2e {run.begin.name}", **_counts(book.cases)})
    for document in book.documents:
        suites.append(_suite(document, run.begin.started.strftime("%Y-%m-%dT%H:%M:%S")))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _suite(document: Document, started: str) -> ET.Element:
    name = document.feature.name if document.feature else document.uri
    suite = ET.Element("testsuite", {"name": _text(name), "timestamp": started, **_counts(document.cases)})
    for case in document.cases:
        suite.append(_case(case))
    return suite


def _case(case: Case) -> ET.Element:
    values = f" [{', '.join(case.values)}]" if case.row else ""
    seconds = f"{case.seconds:.3f}"
    element = ET.Element(
        "testcase", classname=_text(case.uri), name=_text(case.name + values), file=case.uri, time=seconds
    )
    told = message(case)
    first = told.partition("\n")[0]
    if case.status in _FAILURES | _ERRORS:
        kind = "failure" if case.status in _FAILURES else "error"
        ET.SubElement(element, kind, message=_text(first), type=case.status).text = _text(told)
    elif case.status in _SKIPPED:
        ET.SubElement(element, "skipped", message=_text(f"{case.status}: {first}" if first else case.status))
    ET.SubElement(element, "system-out").text = _text("\n".join(_steps(case)))
    return element


def message(case: Case) -> str:
    """What is to be told of a case that did not simply pass: its step's message, and what is beside the steps."""
    if not case.last:
        return ""
    step = next((step for step in case.last.steps if step.message), None)
    told = [f"{step.keyword} {step.text}\n{step.message}"] if step else []
    return "\n".join([*told, *filter(None, [case.last.message])])


def _steps(case: Case) -> Sequence[str]:
    steps = case.last.steps if case.last else ()
    return [f"{step.keyword} {step.text} ... {step.status} ({step.seconds:.3f} s)" for step in steps]


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    def among(statuses: frozenset[Status]) -> str:
        return str(sum(case.status in statuses for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": among(_FAILURES),
        "errors": among(_ERRORS),
        "skipped": among(_SKIPPED),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
