"""A query and its plan: one optional object a stage; UNSET inherits from the preset, None switches off."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from excerpta.types.base import Filter, Limit, Name, QueryText, Request
from excerpta.types.methods import Stage
from excerpta.types.prompts import PromptUse


class TokensOptions(Request):
    """Token retrieval (XTR): each query token retrieves `k_tokens` tokens; passages are scored from those.

    The best `refine` are scored again by exact MaxSim. By default, or with null, both depend on the size of
    the collection: 1,000 tokens and 100 passages at 5,000 passages, more above. Query tokens at least
    `near` to each other are searched once (above 1: none). `imputation` replaces similarities that were not
    retrieved: by the `lowest` retrieved one, or by a guess from the sizes of `clusters` (WARP).
    """

    limit: Limit | UnsetType = UNSET
    k_tokens: Annotated[int, Meta(ge=1, le=100_000)] | None | UnsetType = UNSET
    refine: Annotated[int, Meta(ge=0, le=1000)] | None | UnsetType = UNSET
    near: Annotated[float, Meta(gt=0, le=2)] | UnsetType = UNSET
    imputation: Literal["lowest", "clusters"] | UnsetType = UNSET


class LexicalOptions(Request):
    """BM25 over stemmed words."""

    limit: Limit | UnsetType = UNSET


class NgramsOptions(Request):
    """Generated n-grams (SEAL): beam search constrained to n-grams of the corpus."""

    limit: Limit | UnsetType = UNSET
    beams: Annotated[int, Meta(ge=1, le=64)] | UnsetType = UNSET
    length: Annotated[int, Meta(ge=1, le=15)] | UnsetType = UNSET
    query_keys: bool | UnsetType = UNSET


class RetrieveOptions(Request):
    """The retrievers that run. Their lists are fused."""

    tokens: TokensOptions | UnsetType | None = UNSET
    lexical: LexicalOptions | UnsetType | None = UNSET
    ngrams: NgramsOptions | UnsetType | None = UNSET


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
    """How the answer is generated."""

    max_tokens: Annotated[int, Meta(ge=1, le=2048)] | UnsetType = UNSET
    temperature: Annotated[float, Meta(ge=0, le=2, description="0 is greedy.")] | UnsetType = UNSET
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET


class PlanOptions(Request):
    """A plan that overrides a preset: a stage left out is the preset's, a stage set to null is off.

    `fuse`, `rerank` and `compress` have a method's options: a struct of `excerpta.types.fuse`, `rerank` or
    `compress`, or a mapping with `method` and the options that differ from the preset.
    """

    base: str | UnsetType = UNSET
    retrieve: RetrieveOptions | UnsetType = UNSET
    fuse: Stage | UnsetType = UNSET
    rerank: Stage | UnsetType | None = UNSET
    compress: Stage | UnsetType | None = UNSET
    context: ContextOptions | UnsetType = UNSET
    answer: AnswerOptions | UnsetType | None = UNSET


class SearchRequest(Request):
    """One question to one collection or several, with an optional filter and plan; no answer is written."""

    collection: Name | Annotated[list[Name], Meta(min_length=1, max_length=16)]
    query: QueryText
    filter: Filter | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    plan: str | PlanOptions | None = None
    explain: bool | Literal["matrix"] = False
    timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None


class QueryRequest(SearchRequest):
    """One question to one collection or several, with an optional filter and plan."""

    stream: bool = False
