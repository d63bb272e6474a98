"""Documents as they are read from files, without NumPy: the process that reads files starts the faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Metadata: TypeAlias = Mapping[str, Scalar | list[Scalar]]


class Mark(NamedTuple):
    """Where a page or a table's row is in a document's text: a half-open span of characters.

    `number` counts as the file does, from 1.
    """

    kind: Literal["page", "row"]
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a user added it. `id` is unique in its collection; adding it again replaces it.

    `marks` are the pages and rows of its text, by start.
    """

    id: str
    text: str
    title: str = ""
    metadata: Metadata = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
