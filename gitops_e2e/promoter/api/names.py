"""Names that the engine makes: of Promotions, of analysis runs and of Freight collections."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_STAGE_IN_NAME = 218
_LABEL_MAX = 63
_RANDOM_BITS = 80


class _Ulids:
    """ULIDs in lower case, each greater than those before it in this process."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
            same_or_past = fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS
            self._last = self._last + 1 if same_or_past else fresh
            value = self._last
        return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


_ulids = _Ulids()


def promotion_name(stage: str, freight: str) -> str:
    """`<stage>.<ulid>.<first 7 of the Freight's name>`: later names sort after earlier ones."""
    return f"{stage[:_STAGE_IN_NAME]}.{_ulids.next()}.{freight[:7]}".lower()


def analysis_run_name(stage: str, collection_id: str) -> str:
    """The same form, ending in the first 7 digits of the Freight collection's id."""
    return promotion_name(stage, collection_id)


def collection_id(freight_names: Iterable[str]) -> str:
    """The id of the collection of these pieces of Freight: the SHA-1 of their sorted names."""
    return hashlib.sha1(",".join(sorted(freight_names)).encode(), usedforsecurity=False).hexdigest()


def shortened_label(value: str) -> str:
    """The value as it fits into a label: a long one is cut, and a digest tells it from its like."""
    if len(value) <= _LABEL_MAX:
        return value
    return f"{value[:54].rstrip('-')}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"
