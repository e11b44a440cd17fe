"""Times as Kubernetes writes them, and durations as Go writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_DURATION = re.compile(rf"[-+]?(?:(?:{_PART.pattern})+|0)")


def now() -> datetime:
    """The time now, in whole seconds, as metav1.Time keeps them."""
    return datetime.now(UTC).replace(microsecond=0)


def rfc3339(moment: datetime) -> str:
    """`2026-11-23T11:56:20Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time, with or without a fraction. Raises ValueError."""
    return datetime.fromisoformat(text)


def parse_duration(text: str) -> timedelta:
    """Read a Go duration such as `1h2m3.5s`. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration as Go's time.Duration does: `5m0s`, `1.5s`, `250ms`, `0s`."""
    microseconds = round(duration.total_seconds() * 1e6)
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    if microseconds == 0:
        return "0s"
    if microseconds < 1000:
        return f"{sign}{microseconds}µs"
    if microseconds < 1_000_000:
        return f"{sign}{_decimal(microseconds, 1000)}ms"
    minutes, rest = divmod(microseconds, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if hours or minutes else []
    return sign + "".join(parts) + f"{_decimal(rest, 1_000_000)}s"


def _decimal(number: int, unit: int) -> str:
    whole, fraction = divmod(number, unit)
    digits = str(fraction).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
