"""Replies to a query, whole or streamed: one struct per server-sent event."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import field

from excerpta.types.base import Metadata, Place, Reply
from excerpta.types.listing import Facets, Group, Highlight
from excerpta.types.service import Problem

Scores: TypeAlias = dict[str, float]
"""The scores of one passage: by each retriever and stage that gave one, on its own scale."""


class TokenMatrix(Reply):
    """The similarity of every query token (rows) to every token of a passage (columns)."""

    query: list[str]
    passage: list[tuple[str, int, int]]
    similarities: list[list[float]]


Explain: TypeAlias = dict[str, Any]
"""Why one passage was found. Offsets are into the document's text, half-open.

`rank`: the passage's rank after each stage, from 0. `kept`: the spans that compression kept, or None.
`matrix`: all token similarities as a `TokenMatrix`'s fields with `"explain": "matrix"`, otherwise None.
Every other entry is a retriever's: a row for each match that it has in the passage, which ends with the
match's start and end. `tokens`: [query token, passage token, similarity, start, end]; `ngrams`: [n-gram,
weight, start, end].
"""


class Hit(Reply):
    """One passage found, with the score of every stage it went through.

    `places` are its pages and rows, where its file has such. `group` has the other passages that it stands
    for, if there are any. `highlights` come with `highlight`.
    """

    passage_id: str
    document_id: str
    collection: str
    title: str
    heading: str
    text: str
    span: tuple[int, int]
    metadata: Metadata
    score: float
    scores: Scores
    places: list[Place] = field(default_factory=list)
    explain: Explain | None = None
    group: Group | None = None
    highlights: list[Highlight] | None = None


class Citation(Reply):
    """`[marker]` in the answer stands for characters `start` to `end` of `hits[hit]`'s document.

    `mark`: the span of the marker's first occurrence in the answer. `places`: the quote's pages and rows.
    """

    marker: int
    hit: int
    passage_id: str
    document_id: str
    start: int
    end: int
    quote: str
    mark: tuple[int, int]
    places: list[Place] = field(default_factory=list)


class Reading(Reply):
    """How the passages were read. Lists have one number per passage, in the order of the hits.

    `temperature`, `scale` and `bias` are the values used. `entropy` is that of the attention at the start of
    the answer, in nats. `shares` are the passages' parts of that attention. `read` lists the hits that the
    answer could see. `saliency` is the mean log p of the question after each passage, if the method uses it.
    """

    method: str
    temperature: float
    scale: float
    bias: float
    read: list[int]
    entropy: float | None = None
    shares: list[float] = field(default_factory=list)
    saliency: list[float] = field(default_factory=list)


class Answer(Reply):
    """`supported` is False if the documents do not support an answer. `reading` is set with `explain`."""

    text: str
    supported: bool
    finish_reason: Literal["stop", "length", "no_support", "cancelled", "timeout"]
    citations: list[Citation]
    reading: Reading | None = None


class Usage(Reply):
    """Tokens read and written; `cached_tokens` of the context came from the prefix store.

    `query_tokens` are the tokens that search reads. `question_tokens` are those of the answer's prompt
    outside the context. `encoded_passages` had to be read anew, for ranking or for the answer; the
    others had been read before and were kept.
    """

    query_tokens: int = 0
    context_tokens: int = 0
    compressed_tokens: int = 0
    cached_tokens: int = 0
    question_tokens: int = 0
    generated_tokens: int = 0
    encoded_passages: int = 0


class QueryReply(Reply):
    """The whole reply to one query. `partial` is True if a stage ran out of time; `warnings` name it.

    `query` is the question that was searched: a follow-up stands alone, and a long one is read in part.
    `notes` say, by stage, why something was done or left out.
    """

    id: str
    index_version: dict[str, int]
    profile: str
    partial: bool
    warnings: list[str]
    hits: list[Hit]
    answer: Answer | None
    usage: Usage
    timings_ms: dict[str, float]
    plan: dict[str, Any] | None = None
    query: str = ""
    facets: Facets | None = None
    notes: dict[str, str] = {}


class SearchResult(Reply):
    """What became of one question of several: its reply, or the problem that it met."""

    reply: QueryReply | None = None
    error: Problem | None = None


class SearchBatchReply(Reply):
    """A result for each question, in their order."""

    results: list[SearchResult]


class HitsEvent(Reply):
    """`event: hits`: the passages found, sent before the answer begins, and the question searched."""

    id: str
    index_version: dict[str, int]
    profile: str
    hits: list[Hit]
    query: str = ""
    facets: Facets | None = None


class DeltaEvent(Reply):
    """`event: delta`: the next piece of the answer, markers included; `citation`: a `Citation`."""

    text: str


class DoneEvent(Reply):
    """`event: done`: the last event; `usage` events before it carry a `Usage`, `error` events a `Problem`.

    `notes` say, by stage, why something was done or left out.
    """

    answer: Answer | None
    usage: Usage
    timings_ms: dict[str, float]
    partial: bool
    warnings: list[str]
    notes: dict[str, str] = {}


StreamEvent: TypeAlias = HitsEvent | DeltaEvent | Citation | Usage | DoneEvent
