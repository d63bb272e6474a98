"""How a job has ended: whether all was read, some of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from api.db import BatchRow
from api.db.replies import completed_sources

Ending: TypeAlias = Literal["succeeded", "partial", "failed", "cancelled"]
"""The states of a job that will not run again."""
TWICE = "comes more than once; the last one counts"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state that a job ends in; `error` says why it failed."""

    state: Ending
    error: str | None = None


SUCCEEDED = Outcome("succeeded")


def outcome_of(batches: Sequence[BatchRow], *, lines: bool) -> Outcome:
    """The outcome of a job that has come to the end of its upload, by its committed batches.

    A file or line that was not read, or not whole, makes it partial; among `lines` one that a later one
    replaces does not. Where no document was indexed, none was there already and none was removed, it has
    failed.
    """
    sources = [one for batch in batches for one in completed_sources(batch.sources)]
    unread = [pair for batch in batches for pair in msgspec.json.decode(batch.errors, type=_Pairs)]
    there = any(one.documents for one in sources if one.state == "unchanged")
    if not there and not any(batch.documents or batch.removed for batch in batches):
        reasons = [*unread, *((part.name, part.reason) for one in sources for part in one.remarks)]
        return Outcome("failed", f"nothing was indexed: {_told(reasons)}")
    gaps = any(one.state != "read" and (one.state != "unchanged" or one.remarks) for one in sources)
    left_out = any(not (lines and reason == TWICE) for _, reason in unread)
    return Outcome("partial") if gaps or left_out else SUCCEEDED


_Pairs: TypeAlias = list[tuple[str, str]]


def _told(reasons: Sequence[tuple[str, str]]) -> str:
    """The first reasons as one sentence."""
    told = list(dict.fromkeys(_sentence(reasons)))
    if not told:
        return "the upload has no documents"
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more


def _sentence(reasons: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, reason in reasons:
        yield f"{name} {reason.rstrip('.')}"
