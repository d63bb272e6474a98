"""The list of hits: its groups, its facets, and the matched spans in each hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias, TypedDict

from msgspec import UNSET, Meta, UnsetType, field

from excerpta.types.base import Place, Reply, Request

Value: TypeAlias = str | int | float | bool
FieldName = Annotated[str, Meta(min_length=1, max_length=512, description="A metadata field.")]

GroupBy = Annotated[
    str, Meta(min_length=1, max_length=512, description="`text`, `document`, or a metadata field.")
]


class FacetOptions(Request):
    """A metadata field to count by, and how many of its values are listed."""

    field: FieldName
    values: Annotated[int, Meta(ge=1, le=1000, description="Values listed, the most frequent first.")] = 10


class GroupOptions(Request):
    """Hits with something in common are one hit, the best; the others are listed with it.

    `by`: `text` (the same text, whitespace aside), `document`, or a metadata field. A passage without
    the field is one hit.
    """

    by: GroupBy | UnsetType = UNSET
    passages: (
        Annotated[int, Meta(ge=0, le=100, description="Other passages listed with a hit.")] | UnsetType
    ) = UNSET


class ListOptions(TypedDict, total=False):
    """Keywords of the client's calls about the list of hits; `excerpta.types.SearchRequest` explains them."""

    offset: int
    min_score: float | None
    group_by: str | None
    facets: Sequence[str | FacetOptions | dict[str, Any]]
    highlight: bool


class FacetValue(Reply):
    """A value of a field, and how many documents have it."""

    value: Value
    count: int


class Facet(Reply):
    """Documents by the values of one metadata field: all that the filter allows, whatever was asked.

    `documents` have a value in the field, and `distinct` is how many different ones there are. `values` are
    the most frequent. `least` and `most` are the bounds of the numbers among all values.
    """

    documents: int
    distinct: int
    values: list[FacetValue]
    least: int | float | None = None
    most: int | float | None = None


class GroupedPassage(Reply):
    """Another passage of a hit's group. `span` is in its document, `places` are its pages and rows.

    `score` is that before reranking in a group by text.
    """

    passage_id: str
    document_id: str
    collection: str
    title: str
    span: tuple[int, int]
    score: float
    places: list[Place] = field(default_factory=list)


class Group(Reply):
    """The other passages found that a hit stands for: how many (`others`), and the first of them.

    `value` is what they have in common, if that is a metadata field's value.
    """

    by: str
    others: int
    passages: list[GroupedPassage]
    value: Value | list[Value | None] | None = None


class Highlight(Reply):
    """A word of a hit that matches the question. Highlights rise and do not overlap.

    `start` and `end` are characters of the document, `at` those of the hit's `text`. `by` is `words` where it
    is one of the question's words in another form or the same, else the retriever that found them alike.
    `query` is that part of the question, and `similarity` (cosine) comes from retrieval by tokens.
    """

    start: int
    end: int
    at: tuple[int, int]
    by: str
    query: str
    similarity: float | None = None


Facets: TypeAlias = dict[str, Facet]
FacetsAsked = Annotated[
    list[str | FacetOptions],
    Meta(
        max_length=16, description="Metadata fields to count documents by, over all that the filter allows."
    ),
]
