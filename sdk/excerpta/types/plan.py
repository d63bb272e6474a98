"""A query and its plan: one optional object a stage; UNSET inherits from the preset, None switches off."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from excerpta.types.base import Filter, Name, QueryText, Request
from excerpta.types.listing import FacetsAsked, GroupBy, GroupOptions
from excerpta.types.methods import Stage
from excerpta.types.prompts import PromptUse

MOST_ANSWER_TOKENS = 2048
"""The most tokens that an answer may have."""


class ContextOptions(Request):
    """How many passages are read, and how.

    `reading` is a method's options, as a struct of `excerpta.types.reading` or a mapping. `selection` is
    null: a query reads all keys of its passages. With a `prompt`, its modules stand before the passages.
    """

    passages: Annotated[int, Meta(ge=1, le=50)] | UnsetType = UNSET
    reading: Stage | UnsetType = UNSET
    selection: UnsetType | None = UNSET
    prompt: PromptUse | UnsetType | None = UNSET


class AnswerOptions(Request):
    """How the answer is generated.

    `unsupported` decides about an answer that no passage supports: `show` it, marked by `supported` false, or
    `refuse`, which gives a fixed sentence in its place. A refusing stream holds an answer back until the
    first sentence with a citation is complete.
    """

    max_tokens: Annotated[int, Meta(ge=1, le=MOST_ANSWER_TOKENS)] | UnsetType = UNSET
    temperature: Annotated[float, Meta(ge=0, le=2, description="0 is greedy.")] | UnsetType = UNSET
    top_p: (
        Annotated[
            float,
            Meta(ge=0, le=1, description="Draw from the likeliest tokens of this probability together."),
        ]
        | UnsetType
    ) = UNSET
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET
    stop: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=200)]],
            Meta(max_length=16, description="The answer ends before the first of these texts."),
        ]
        | UnsetType
    ) = UNSET
    unsupported: Literal["show", "refuse"] | UnsetType = UNSET


class PlanOptions(Request):
    """A plan that overrides a preset: a stage left out is the preset's, a stage set to null is off.

    `rewrite`, `fuse`, `rerank` and `compress` have a method's options: a struct of the module of that name in
    `excerpta.types`, or a mapping with `method` and the options that differ from the preset. `retrieve` has
    the retrievers by name, each with a struct of `excerpta.types.retrieve` or a mapping; null switches one
    off. `compress: "auto"` stands for `{"when": "auto"}`: it compresses where that pays.
    """

    base: str | UnsetType = UNSET
    rewrite: Stage | UnsetType | None = UNSET
    retrieve: dict[str, Stage | None] | UnsetType = UNSET
    fuse: Stage | UnsetType = UNSET
    group: GroupOptions | UnsetType | None = UNSET
    rerank: Stage | UnsetType | None = UNSET
    compress: Stage | Literal["auto"] | UnsetType | None = UNSET
    context: ContextOptions | UnsetType = UNSET
    answer: AnswerOptions | UnsetType | None = UNSET


class SearchOptions(Request, kw_only=True):
    """Base: what a search has besides its question or questions, `SearchRequest` explains it."""

    collection: Name | Annotated[list[Name], Meta(min_length=1, max_length=16)]
    filter: Filter | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    offset: Annotated[int, Meta(ge=0, description="With `limit` at most 1,000.")] = 0
    min_score: float | None = None
    group_by: GroupBy | UnsetType | None = UNSET
    facets: FacetsAsked = []
    highlight: bool = False
    plan: str | PlanOptions | None = None
    explain: bool | Literal["matrix"] = False
    timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None


class SearchRequest(SearchOptions, kw_only=True):
    """One question to one collection or several, with an optional filter and plan; no answer is written.

    `offset` leaves out the first hits: the next page of the same list. `min_score` leaves out hits whose
    `score` is lower; its scale is that of the plan's last stage. `group_by` overrides the plan's `group`:
    `text`, `document` or a metadata field; null groups nothing. `highlight` marks matched words in every hit.
    """

    query: QueryText


class SearchBatchRequest(SearchOptions, kw_only=True):
    """Up to 100 questions, each searched with the same options, as `SearchRequest` has them.

    `timeout_ms` is that of each question.
    """

    queries: Annotated[list[QueryText], Meta(min_length=1, max_length=100)]

    def alone(self, query: str) -> SearchRequest:
        """The request for one of the questions."""
        options = {name: getattr(self, name) for name in self.__struct_fields__ if name != "queries"}
        return SearchRequest(query=query, **options)


class QueryRequest(SearchRequest):
    """One question to one collection or several, with an optional filter and plan."""

    stream: bool = False
