"""Drawing: a Vega-Lite specification becomes SVG that takes its colours from the page that it stands in.

Vega-Lite (by vl-convert, which brings it in one wheel and needs no browser, no Node.js and no network) draws time
axes, steps, bars and rules as layers of one description, and writes plain SVG: colours are passed through as they
are, so they can be variables of the page's style sheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert

Spec = Mapping[str, Any]

WIDTH = 720

TONES: Mapping[str, str] = {
    "good": "var(--good)",
    "bad": "var(--bad)",
    "waiting": "var(--waiting)",
    "idle": "var(--idle)",
}
PALETTE = tuple(f"var(--series-{number})" for number in range(1, 7))

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_TEXT = {"labelColor": "var(--text)", "titleColor": "var(--text)", "labelFontSize": 12, "titleFontSize": 12}
_CONFIG = {
    "background": "transparent",
    "padding": {"left": 24, "right": 12, "top": 5, "bottom": 5},  # fonts are not as wide everywhere
    "font": "system-ui, sans-serif",
    "view": {"stroke": "var(--line)"},
    "axis": {
        **_TEXT,
        "titleFontWeight": "normal",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "legend": {
        **_TEXT,
        "titleFontWeight": "normal",
        "orient": "bottom",
        "symbolStrokeWidth": 2,
        "labelLimit": 320,
        "columnPadding": 36,
        "layout": {"bottom": {"direction": "vertical", "anchor": "start"}},
    },
    "header": _TEXT,
    "text": {"color": "var(--text)", "fontSize": 12},
    "range": {"category": list(PALETTE)},
}
_ID = re.compile(r'(?<=id=")(?=clip)|(?<=url\(#)(?=clip)')
_SIZE = re.compile(r'^<svg ([^>]*?)width="([\d.]+)" height="([\d.]+)"')


@dataclass(frozen=True)
class Table:
    """The numbers of a picture."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture: what it shows, what one should see in it, the drawing, and its numbers."""

    title: str
    caption: str
    svg: str
    table: Table


def draw(spec: Spec) -> str:
    """The drawing as one SVG element, without anything that would be the same in another one on the page."""
    whole = {"$schema": _SCHEMA, "config": _CONFIG, **spec}
    svg = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[])
    svg = _ID.sub(f"{hashlib.sha256(svg.encode()).hexdigest()[:12]}-", svg)
    return _SIZE.sub(r'<svg aria-hidden="true" focusable="false" \1width="\2" height="\3"', svg, count=1)


def seconds_axis(title: str = "seconds since the scenario began") -> Spec:
    """The horizontal axis that all pictures of a scenario share."""
    return {"title": title, "format": "~g", "grid": False}


def rows(values: Sequence[Mapping[str, Any]]) -> Spec:
    """Data of a layer."""
    return {"values": list(values)}
