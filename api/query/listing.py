"""The list of hits: how deep it is searched for, which passages are one hit, and which part is shown."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from excerpta.types import FacetOptions, PlanOptions, SearchRequest
from msgspec import UNSET, structs

from api.errors import InvalidRequest
from api.query.candidates import Candidate, SourceFound
from api.query.plan import DEEPEST, STAGES, Group, Plan, Retrieve
from retrieval.segments.columns import DOCUMENT_ID, kind_of

TEXT, DOCUMENT = "text", "document"
"""What hits are grouped by besides metadata fields."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which candidates are shown, and what is shown about them."""

    limit: int
    offset: int = 0
    min_score: float | None = None
    highlight: bool = False
    facets: tuple[FacetOptions, ...] = ()

    @property
    def end(self) -> int:
        """How long the list has to be."""
        return self.offset + self.limit

    def page(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates that are shown."""
        return list(candidates[self.offset : self.end])

    def above(self, candidates: list[Candidate], stage: str) -> list[Candidate]:
        """Those with at least `min_score` by the stage, in their order: what it did not score is left out."""
        if self.min_score is None:
            return candidates
        return [one for one in candidates if one.scores.get(stage, float("-inf")) >= self.min_score]


def listing_of(request: SearchRequest, plan: Plan) -> Listing:
    """The list that a request asks for. Raises InvalidRequest."""
    if request.offset + request.limit > DEEPEST:
        raise InvalidRequest(
            "offset", f"with `limit` it is at most {DEEPEST}; narrow the question with a filter to see others"
        )
    if request.offset and plan.answer is not None:
        raise InvalidRequest(
            "offset",
            "an answer is written from the first passages, which this page leaves out; "
            'ask POST /v1/search for pages, or set `"answer": null` in the plan',
        )
    facets = [FacetOptions(field=one) if isinstance(one, str) else one for one in request.facets]
    names = [one.field for one in facets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequest("facets", f"{twice[0]!r} comes twice; name each field once")
    return Listing(
        limit=request.limit,
        offset=request.offset,
        min_score=request.min_score,
        highlight=request.highlight,
        facets=tuple(facets),
    )


def with_group(plan: Plan, request: SearchRequest) -> Plan:
    """The plan with the `group_by` of the request. Raises InvalidRequest where its own plan has one too."""
    by = request.group_by
    if by is UNSET:
        return plan
    if isinstance(request.plan, PlanOptions) and request.plan.group is not UNSET:
        raise InvalidRequest("group_by", "the plan of this request has a `group` as well; give one of them")
    passages = STAGES["group"]["passages"] if plan.group is None else plan.group.passages
    return structs.replace(plan, group=None if by is None else Group(by=str(by), passages=passages))


def grouped(candidates: Sequence[Candidate], by: str) -> list[Candidate]:
    """The best candidate of each group, with the others in it. Groups stand in the order of their best."""
    best: dict[Hashable, Candidate] = {}
    for one in candidates:
        first = best.setdefault(_key(one, by), one)
        if first is not one:
            first.others.append(one)
    return list(best.values())


def value_of(candidate: Candidate, by: str) -> Any:
    """The candidate's value of a metadata field; None where it has none."""
    if by == DOCUMENT_ID:
        return candidate.passage.document_id
    return candidate.found.source.snapshot.metadata(candidate.number).get(by)


def _key(candidate: Candidate, by: str) -> Hashable:
    """Equal for candidates of one group. A candidate without the field is a group alone."""
    if by == TEXT:
        return " ".join(candidate.passage.text.split())
    if by == DOCUMENT:
        return candidate.found.source.name, candidate.passage.document_id
    value = value_of(candidate, by)
    if value is None:
        return candidate.key
    # By kind as well: 1 is not true.
    return tuple((kind_of(one), one) for one in (value if isinstance(value, list) else (value,)))


def is_short(candidates: Sequence[Candidate], plan: Plan, end: int) -> bool:
    """Whether a deeper search is needed: for the page, or for what is reranked.

    The second counts on every page: all of them have to rerank the same passages.
    """
    by = None if plan.group is None else plan.group.by
    groups = len(candidates) if by is None else len({_key(one, by) for one in candidates})
    ranked = groups if by == TEXT else len(candidates)
    return groups < end or (plan.rerank is not None and ranked < plan.rerank.limit)


def deeper(found: Sequence[SourceFound], usual: Retrieve, deepest: Retrieve) -> Retrieve:
    """The retrievers that can find more: their lists were full, and no plan sets their limit."""
    full = {
        name
        for one in found
        for name, hits in one.lists.items()
        if (options := usual[name]) is not None and len(hits) >= options.limit
    }
    return {
        name: options
        for name, options in deepest.items()
        if name in full and options is not None and options != usual[name]
    }


def extended(found: Sequence[SourceFound], more: Sequence[SourceFound]) -> list[SourceFound]:
    """What was found, with the lists of a deeper search in place of those that it made longer."""
    return [
        replace(one, lists=one.lists | deep.lists, evidence=one.evidence | deep.evidence)
        for one, deep in zip(found, more, strict=True)
    ]


def followed_by(candidates: list[Candidate], deep: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, then those that only a deeper search found.

    So the first pages do not change when a later one is asked for, though deeper lists are fused otherwise.
    """
    known = {one.key for one in candidates}
    new = [one for one in deep if one.key not in known]
    for rank, one in enumerate(new, start=len(candidates)):
        one.ranks["fused"] = rank
    return candidates + new
