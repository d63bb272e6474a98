"""Facets of a query: its documents counted by metadata fields, over all collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from excerpta.types import Facet, FacetOptions, Facets
from excerpta.types.listing import FacetValue

from api.query.candidates import Source
from api.query.listing import DOCUMENT, TEXT
from api.query.plan import Group
from retrieval.collections.facets import Counted, unknown_field


def check_fields(sources: Sequence[Source], group: Group | None, facets: Iterable[FacetOptions]) -> None:
    """Raises InvalidField for a field that no document has, unless there are no documents at all."""
    filled = [one.snapshot for one in sources if one.snapshot.passages]
    fields = {field for one in filled for field in one.fields}
    for one in facets:
        if filled and one.field not in fields:
            raise unknown_field(one.field, fields)
    if filled and group is not None and group.by not in {TEXT, DOCUMENT, *fields}:
        raise unknown_field(group.by, fields | {TEXT, DOCUMENT})


def counted(
    sources: Sequence[Source], where: Mapping[str, Any] | None, asked: Sequence[FacetOptions]
) -> Facets:
    """The documents that the filter allows, by each field. Raises InvalidField."""
    chosen = [(one.snapshot, one.snapshot.documents(where)) for one in sources]
    facets: Facets = {}
    for one in asked:
        total = Counted(one.field)
        for snapshot, documents in chosen:
            total.merge(snapshot.counted(one.field, documents))
        facets[one.field] = _facet(total, one.values)
    return facets


def _facet(counted: Counted, values: int) -> Facet:
    numbers = counted.numbers
    return Facet(
        documents=counted.documents,
        distinct=len(counted.values),
        values=[
            FacetValue(value=value, count=documents)
            for value, documents in counted.first(values)
            if value is not None
        ],
        least=min(numbers, default=None),
        most=max(numbers, default=None),
    )
