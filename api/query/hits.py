"""Hits: candidates in the form of a reply, with the reasons that the request asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from excerpta import types
from excerpta.types import Explain, GroupedPassage, Hit, TokenMatrix

from api.query.candidates import Candidate
from api.query.highlights import highlights_of
from api.query.listing import DOCUMENT, TEXT, value_of
from api.query.plan import Group
from retrieval import TokenVectors
from retrieval.catalogue import RETRIEVERS


def hits_of(
    candidates: Sequence[Candidate],
    *,
    explain: bool | Literal["matrix"],
    highlight: bool,
    group: Group | None,
    query: str,
    vectors: TokenVectors | None,
) -> list[Hit]:
    """The candidates as the reply shows them; `group` is the plan's."""
    return [
        Hit(
            passage_id=one.passage.id,
            document_id=one.passage.document_id,
            collection=one.found.source.name,
            title=one.passage.title,
            heading=one.passage.heading,
            text=one.passage.text,
            span=(one.passage.start, one.passage.end),
            metadata=dict(one.found.source.snapshot.metadata(one.number)),
            score=one.score,
            scores=one.scores,
            places=one.places(one.passage.start, one.passage.end),
            explain=_explain(one, query, vectors, matrix=explain == "matrix") if explain else None,
            group=None if group is None or not one.others else _group(one, group),
            highlights=highlights_of(one, query) if highlight else None,
        )
        for one in candidates
    ]


def _group(candidate: Candidate, group: Group) -> types.Group:
    return types.Group(
        by=group.by,
        others=len(candidate.others),
        passages=[_grouped(one) for one in candidate.others[: group.passages]],
        value=None if group.by in (TEXT, DOCUMENT) else value_of(candidate, group.by),
    )


def _grouped(candidate: Candidate) -> GroupedPassage:
    passage = candidate.passage
    return GroupedPassage(
        passage_id=passage.id,
        document_id=passage.document_id,
        collection=candidate.found.source.name,
        title=passage.title,
        span=(passage.start, passage.end),
        places=candidate.places(passage.start, passage.end),
        score=candidate.score,
    )


def _explain(candidate: Candidate, query: str, vectors: TokenVectors | None, *, matrix: bool) -> Explain:
    passage, kept = candidate.passage, candidate.kept
    return {
        **_matches(candidate, query),
        "rank": candidate.ranks,
        "kept": None if kept is None else [(passage.start + a, passage.start + b) for a, b in kept],
        "matrix": _matrix(candidate, query, vectors) if matrix and vectors is not None else None,
    }


def _matches(candidate: Candidate, query: str) -> Explain:
    """Why each retriever found the passage, as rows of the reply; no rows for one that did not find it."""
    found, number = candidate.found, candidate.number
    explain = found.source.snapshot.explain
    rows: Explain = {name: [] for name in RETRIEVERS}
    for name, read in found.reads.items():
        matches = explain(name, read, found.evidence.get(name), number)
        rows[name] = [one.row(query, candidate.passage) for one in matches]
    return rows


def _matrix(candidate: Candidate, query: str, vectors: TokenVectors) -> TokenMatrix:
    passage = candidate.passage
    similarities, spans = candidate.found.source.snapshot.token_similarities(
        candidate.number, vectors.vectors
    )
    return TokenMatrix(
        query=[query[start:end] if start >= 0 else "" for start, end in vectors.offsets.tolist()],
        passage=[
            (passage.text[start - passage.start : end - passage.start], start, end)
            for start, end in spans.tolist()
        ],
        similarities=similarities.round(4).tolist(),
    )
