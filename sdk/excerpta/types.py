"""The shapes that travel over HTTP: what a request may say and what a reply holds.

Server and client share this module, so they cannot drift apart. Requests refuse unknown
fields; replies ignore them, so that an older client reads a newer server.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

Metadata: TypeAlias = dict[str, str | int | float | bool | None | list[str | int | float | bool | None]]
Filter: TypeAlias = dict[str, Any]

Name = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description="Letters, digits, . _ -")
]
DocumentId = Annotated[str, Meta(min_length=1, max_length=512)]
QueryText = Annotated[str, Meta(min_length=1, max_length=20_000, description="The question, in plain words.")]
Limit = Annotated[int, Meta(ge=1, le=1000)]
Weight = Annotated[float, Meta(ge=0, le=1000)]


class Request(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of everything a client may send."""


class Reply(Struct, kw_only=True):
    """Base of everything the server answers."""


# --- the plan: one optional object a stage; UNSET inherits from the preset, None switches off -----------


class TokensOptions(Request):
    """Token retrieval (XTR): each query token retrieves `k_tokens` tokens; passages are scored from those.

    The best `refine` are scored again by exact MaxSim. Without a number, or with null, the collection's size
    decides both: 1,000 tokens and 100 passages at 5,000 passages, more above. Query tokens as similar as
    `near` are searched once (above 1: none). `imputation` is what stands for a similarity that was not
    retrieved: the `lowest` that was, or a guess from the sizes of `clusters` (WARP).
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
    """Generated n-grams (SEAL): beam search that can only write what stands in the corpus."""

    limit: Limit | UnsetType = UNSET
    beams: Annotated[int, Meta(ge=1, le=64)] | UnsetType = UNSET
    length: Annotated[int, Meta(ge=1, le=15)] | UnsetType = UNSET
    query_keys: bool | UnsetType = UNSET


class RetrieveOptions(Request):
    """Which retrievers run; their lists are fused."""

    tokens: TokensOptions | UnsetType | None = UNSET
    lexical: LexicalOptions | UnsetType | None = UNSET
    ngrams: NgramsOptions | UnsetType | None = UNSET


class FuseOptions(Request):
    """How the retrievers' lists become one: reciprocal ranks or min-max weighted scores."""

    method: Literal["rrf", "weighted"] | UnsetType = UNSET
    weights: dict[Literal["tokens", "lexical", "ngrams"], Weight] | UnsetType = UNSET
    k: Annotated[int, Meta(ge=1, le=1000, description="RRF's constant.")] | UnsetType = UNSET


class RerankOptions(Request):
    """`likelihood`: mean log p(query | passage); `first`: the letters' logits after one forward pass."""

    method: Literal["likelihood", "first"] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class CompressOptions(Request):
    """`auto` compresses only what is over the budget."""

    method: Literal["auto", "token-classifier", "lexical"] | UnsetType = UNSET
    target_tokens: Annotated[int, Meta(ge=16, le=100_000)] | UnsetType = UNSET


ContextMode: TypeAlias = Literal[
    "auto", "ape", "naive", "structured", "guard", "superposition", "epic", "cacheblend", "sequential"
]


class ContextOptions(Request):
    """How the passages are read; `auto` is what measured best.

    Side by side, each from the prefix store, in whatever order: `ape` (temperature and scale as calibrated),
    `naive` (without), `structured` (all passages together weigh as one), `guard` (each query reads the `keep`
    passages it attends to most), `superposition` (only the `keep` passages after which the question is
    likeliest). In a row: `epic` and `cacheblend` (cached, some tokens read again), `sequential` (one prompt).
    """

    mode: ContextMode | UnsetType = UNSET
    passages: Annotated[int, Meta(ge=1, le=50)] | UnsetType = UNSET
    temperature: Annotated[float, Meta(gt=0, le=2, description="APE's T.")] | UnsetType = UNSET
    scale: Annotated[float, Meta(gt=0, le=2, description="APE's S.")] | UnsetType = UNSET
    bias: (
        Annotated[float, Meta(ge=-20, le=20, description="Added to the log of the passages' weight.")]
        | UnsetType
    ) = UNSET
    keep: (
        Annotated[int, Meta(ge=1, le=50, description="Passages left: guard, superposition.")] | UnsetType
    ) = UNSET


class AnswerOptions(Request):
    """How the answer is written."""

    max_tokens: Annotated[int, Meta(ge=1, le=2048)] | UnsetType = UNSET
    temperature: Annotated[float, Meta(ge=0, le=2, description="0 is greedy.")] | UnsetType = UNSET
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET


class PlanOptions(Request):
    """A plan laid over a preset: a stage left out is the preset's, a stage set to null is off."""

    base: str | UnsetType = UNSET
    retrieve: RetrieveOptions | UnsetType = UNSET
    fuse: FuseOptions | UnsetType = UNSET
    rerank: RerankOptions | UnsetType | None = UNSET
    compress: CompressOptions | UnsetType | None = UNSET
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


# --- the reply -------------------------------------------------------------------------------------------


class Scores(Reply):
    """Each stage's own score of one passage, on that stage's own scale; None where it has none."""

    tokens: float | None = None
    lexical: float | None = None
    ngrams: float | None = None
    fused: float | None = None
    rerank: float | None = None


class TokenMatrix(Reply):
    """The similarity of every query token (rows) to every token of a passage (columns)."""

    query: list[str]
    passage: list[tuple[str, int, int]]
    similarities: list[list[float]]


class Explain(Reply):
    """Why one passage is there. Offsets are into the document's text, half-open.

    `tokens`: [query token, passage token, similarity, start, end]; `ngrams`: [n-gram, weight, start, end];
    `rank`: the passage's place after each stage, from 0; `kept`: what compression left; `matrix`: all token
    similarities, where "matrix" was asked for.
    """

    tokens: list[tuple[str, str, float, int, int]] = field(default_factory=list)
    ngrams: list[tuple[str, float, int, int]] = field(default_factory=list)
    rank: dict[str, int] = field(default_factory=dict)
    kept: list[tuple[int, int]] | None = None
    matrix: TokenMatrix | None = None


class Hit(Reply):
    """One passage found, with the score of every stage it went through."""

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
    explain: Explain | None = None


class Citation(Reply):
    """`[marker]` in the answer stands for characters `start` to `end` of `hits[hit]`'s document.

    `mark`: from where to where the marker stands in the answer, for the first time.
    """

    marker: int
    hit: int
    passage_id: str
    document_id: str
    start: int
    end: int
    quote: str
    mark: tuple[int, int]


class Reading(Reply):
    """How the passages were read. Lists of numbers have one a passage, in the order of the hits.

    `temperature`, `scale` and `bias` are those used; `entropy`: of the attention where the answer begins,
    in nats; `shares`: the part of it that each passage has; `read`: the hits that the answer could see;
    `saliency`: mean log p of the question after each passage, where the mode asks for it.
    """

    mode: str
    temperature: float
    scale: float
    bias: float
    read: list[int]
    entropy: float | None = None
    shares: list[float] = field(default_factory=list)
    saliency: list[float] = field(default_factory=list)


class Answer(Reply):
    """`supported` is False when nothing in the documents carries the answer; `reading` is for `explain`."""

    text: str
    supported: bool
    finish_reason: Literal["stop", "length", "no_support", "cancelled", "timeout"]
    citations: list[Citation]
    reading: Reading | None = None


class Usage(Reply):
    """Tokens read and written; `cached_tokens` of the context came from the prefix store.

    `query_tokens` are those that search reads, `question_tokens` those that the answer's prompt has besides
    the context.
    """

    query_tokens: int = 0
    context_tokens: int = 0
    compressed_tokens: int = 0
    cached_tokens: int = 0
    question_tokens: int = 0
    generated_tokens: int = 0


class QueryReply(Reply):
    """The whole answer to one query; `partial` is True where `warnings` name what was cut short."""

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


# --- the stream of `POST /v1/query` with `stream: true`: one struct a server-sent event --------------------


class HitsEvent(Reply):
    """`event: hits`: what was found, before a word of the answer is written."""

    id: str
    index_version: dict[str, int]
    profile: str
    hits: list[Hit]


class DeltaEvent(Reply):
    """`event: delta`: the next piece of the answer, markers included; `citation`: a `Citation`."""

    text: str


class DoneEvent(Reply):
    """`event: done`: the last event; `usage` events before it carry a `Usage`, `error` events a `Problem`."""

    answer: Answer | None
    usage: Usage
    timings_ms: dict[str, float]
    partial: bool
    warnings: list[str]


StreamEvent: TypeAlias = HitsEvent | DeltaEvent | Citation | Usage | DoneEvent


# --- collections, documents, jobs ------------------------------------------------------------------------


class CollectionSettings(Request, omit_defaults=False):
    """How documents are cut: passages of at most `passage_tokens` tokens, sharing `overlap_tokens`.

    `index` is how large segments keep their token vectors for the search: `fast` (half a byte for two
    dimensions, in memory), `fine` (half a byte a dimension), `compact` (a bit a dimension, mapped from
    disk) or `flat` (compared whole). With `prewarm`, jobs read new passages for answers as well, while the
    prefix store has room, so that the first question about them does not wait for that.
    """

    passage_tokens: Annotated[int, Meta(ge=16, le=500)] = 200
    overlap_tokens: Annotated[int, Meta(ge=0, le=200)] = 32
    ngrams: bool = True
    index: Literal["fast", "fine", "compact", "flat"] = "fast"
    prewarm: bool = False
    plan: str | PlanOptions | None = None


class CollectionReply(Reply):
    """One collection: its size, version, settings and metadata fields with their types."""

    name: str
    documents: int
    passages: int
    segments: int
    version: int
    bytes: int
    created_at: str
    settings: CollectionSettings
    fields: dict[str, list[str]]


class CollectionList(Reply):
    """All collections, by name."""

    collections: list[CollectionReply]


class DocumentIn(Request):
    """A document to put in; an id that is there already is replaced."""

    id: DocumentId
    text: Annotated[str, Meta(min_length=1, max_length=10_000_000)]
    title: Annotated[str, Meta(max_length=2000)] = ""
    metadata: Metadata = field(default_factory=dict)


class DocumentsRequest(Request):
    """Up to 100 documents, searchable when the reply comes."""

    documents: Annotated[list[DocumentIn], Meta(min_length=1, max_length=100)]


class DocumentsReply(Reply):
    """What one call put in."""

    added: int
    replaced: int
    passages: int
    version: int


class DeleteRequest(Request):
    """Documents to delete, by id."""

    ids: Annotated[list[DocumentId], Meta(min_length=1, max_length=10_000)]


class DocumentReply(Reply):
    """One document, whole."""

    id: str
    title: str
    text: str
    metadata: Metadata
    passages: int
    created_at: str


class DeleteReply(Reply):
    """How many were there and are gone."""

    deleted: int
    version: int


class JobError(Reply):
    """One file or document that could not be read, by name; the others went on."""

    name: str
    reason: str


class JobReply(Reply):
    """`done` of `total` documents are committed and searchable; `total` is None until it is known."""

    id: str
    collection: str
    kind: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: int
    total: int | None
    passages: int
    errors: list[JobError]
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None

    @property
    def finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.state in ("succeeded", "failed", "cancelled")


class JobList(Reply):
    """Jobs, newest first."""

    jobs: list[JobReply]


class ModelReply(Reply):
    """One model of the profile and where it comes from."""

    role: str
    name: str
    source: str
    bytes: int
    fingerprint: str
    licence: str
    available: bool


class ModelList(Reply):
    """The models of the profile in use."""

    profile: str
    models: list[ModelReply]


class PrefixTierReply(Reply):
    """One tier of the prefix store since the service began: `bytes` in `blocks`, of `capacity_bytes` at most.

    `saved_s` is what the blocks found here had once taken to encode, `refused` counts those that found no
    room, `corrupt` those that were not what was written, `errors` calls that failed. Redis alone knows what
    it holds: its `blocks` and `bytes` are what this process has put in, and its `capacity_bytes` is 0.
    """

    name: str
    blocks: int
    bytes: int
    capacity_bytes: int
    hits: int
    misses: int
    evictions: int
    refused: int
    corrupt: int
    errors: int
    saved_s: float


class PrefixStoreReply(Reply):
    """The store of encoded passages: its tiers, fastest first.

    `encoded` passages had to be made, in `encode_s` seconds; `shared` ones came out of another request that
    was making them.
    """

    tiers: list[PrefixTierReply]
    encoded: int
    encode_s: float
    shared: int


class StatsReply(Reply):
    """What the process holds and did; `prefix_store` is None until it is first used."""

    prefix_store: PrefixStoreReply | None


class VerifyReply(Reply):
    """What is wrong with a collection's files, a line each; empty when every checksum holds."""

    corrupt: list[str]


# --- single stages ---------------------------------------------------------------------------------------


class TextIn(Request):
    """A text as an object, as Cohere's and Jina's clients may send it."""

    text: Annotated[str, Meta(max_length=1_000_000)]


class RerankRequest(Request):
    """Texts to rank for a query, in the form of Cohere and Jina; `model` is `likelihood` or `first`."""

    query: QueryText
    documents: Annotated[
        list[Annotated[str, Meta(max_length=1_000_000)] | TextIn], Meta(min_length=1, max_length=1000)
    ]
    model: str | None = None
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_documents: bool = False


class RerankResult(Reply):
    """One text's place: `index` into the request; `relevance_score` on the method's own scale."""

    index: int
    relevance_score: float
    document: dict[str, str] | UnsetType = UNSET


class RerankUsage(Reply):
    """What the ranking cost."""

    total_tokens: int
    forward_passes: int


class RerankReply(Reply):
    """The texts, best first."""

    id: str
    model: str
    results: list[RerankResult]
    usage: RerankUsage
    timings_ms: dict[str, float]


class CompressRequest(Request):
    """Texts to shorten to a common budget of tokens, for a query."""

    texts: Annotated[list[Annotated[str, Meta(max_length=1_000_000)]], Meta(min_length=1, max_length=1000)]
    query: Annotated[str, Meta(max_length=20_000)] = ""
    target_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 800
    method: Literal["auto", "token-classifier", "lexical"] = "auto"


class CompressedText(Reply):
    """What is kept of one text: its spans, half-open, and those spans joined."""

    text: str
    kept: list[tuple[int, int]]
    tokens_before: int
    tokens_after: int


class CompressReply(Reply):
    """The texts in the order of the request; `sum(tokens_after) <= target_tokens`."""

    id: str
    method: str
    texts: list[CompressedText]
    timings_ms: dict[str, float]


class StatusReply(Reply):
    """The state of the service: `live` or `ready`, with its version and role."""

    status: str
    version: str
    role: str


class Problem(Reply):
    """RFC 9457 problem details; other members hold the facts."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
