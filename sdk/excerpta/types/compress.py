"""Options of the methods that shorten passages."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from excerpta.types.methods import MethodOptions


class CompressMethod(MethodOptions, frozen=True, kw_only=True):
    """Base: all passages together are cut to `target_tokens`. Passages that fit stay whole."""

    reads_question: ClassVar[bool] = True

    target_tokens: Annotated[int, Meta(ge=16, le=100_000, description="Tokens of all passages together.")] = (
        800
    )
    keep: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=100, description="Words that stay as long as the budget allows."),
    ] = ()
    when: Annotated[
        Literal["always", "auto"],
        Meta(
            description="In a query: `auto` compresses only where that saves time, or the texts would not "
            "fit. `/v1/compress` always does."
        ),
    ] = "always"
    digits: Annotated[
        bool,
        Meta(
            description="Words with a digit stay as long as the budget allows; in a query, those of the "
            "sentences that stay."
        ),
    ] = False
    drop_consecutive: Annotated[
        bool, Meta(description="A sign of `keep` goes where the words between it and the last one went.")
    ] = True
    structure: Annotated[
        Literal["words", "whole", "parse-safe", "passage"],
        Meta(
            description="`whole`: numbers with units, dates, code, table rows stay or go as a whole. "
            "`parse-safe`: JSON also parses afterwards. `words`: nothing is held together. `passage`: a "
            "passage stays or goes as a whole, so less of the budget may be used."
        ),
    ] = "whole"
    threshold: Annotated[
        Literal["all", "text"],
        Meta(description="Words compete with those of `all` passages, or of their own `text` alone."),
    ] = "all"
    context_rate: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(description="Share of passages that a coarse step keeps first; null: (rate + 1) / 2."),
    ] = 1.0
    text_weight: Annotated[
        float, Meta(ge=0, le=1000, description="Weight of a passage's similarity, beside words from 0 to 1.")
    ] = 25.0
    sentence_weight: Annotated[
        float, Meta(ge=0, le=1000, description="Weight of a sentence's similarity, beside words from 0 to 1.")
    ] = 50.0


class Lexical(CompressMethod, frozen=True, kw_only=True, tag="lexical"):
    """Keeps the words around those that the question has too, the rare ones above all."""

    window: Annotated[
        int, Meta(ge=1, le=999, description="Words around a place whose weights are averaged; odd.")
    ] = 31

    def __post_init__(self) -> None:
        """Raises ValueError for an even window."""
        if self.window % 2 == 0:
            raise ValueError(f"`window` ({self.window}) must be odd")


class TokenClassifier(CompressMethod, frozen=True, kw_only=True, tag="token-classifier"):
    """Keeps the words that a trained token classifier would keep; reads no question."""

    paper: ClassVar[str] = "Pan et al. 2024 (LLMLingua-2), arXiv 2403.12968"
    reads_question: ClassVar[bool] = False

    keep: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=100, description="Force tokens: a sentence end stays where its sentence has words."),
    ] = (".", "?", "!")
    digits: Annotated[
        bool,
        Meta(
            description="Words with a digit stay as long as the budget allows; in a query, those of the "
            "sentences that stay."
        ),
    ] = True
    word: Annotated[
        Literal["mean", "first"], Meta(description="A word's probability: of its tokens' mean, or its first.")
    ] = "mean"


class EvaluatorHeads(CompressMethod, frozen=True, kw_only=True, tag="evaluator-heads"):
    """Keeps the words that a few attention heads of the language model look at from the question."""

    paper: ClassVar[str] = "Fei et al. 2025 (EHPC), arXiv 2501.12959"

    heads: Annotated[int, Meta(ge=1, le=64, description="Heads of the layer that the pilot has chosen.")] = 5
    window: Annotated[
        int, Meta(ge=1, le=99, description="Tokens around a place whose attention is averaged; odd.")
    ] = 31

    def __post_init__(self) -> None:
        """Raises ValueError for an even window."""
        if self.window % 2 == 0:
            raise ValueError(f"`window` ({self.window}) must be odd")


class Perplexity(CompressMethod, frozen=True, kw_only=True, tag="perplexity"):
    """Keeps the words that the language model does not expect; reads no question. For comparison."""

    paper: ClassVar[str] = "Li et al. 2023 (Selective Context), arXiv 2310.06201"
    reads_question: ClassVar[bool] = False

    window: Annotated[
        int, Meta(ge=1, le=99, description="Words around a place whose surprise is averaged; odd.")
    ] = 9

    def __post_init__(self) -> None:
        """Raises ValueError for an even window."""
        if self.window % 2 == 0:
            raise ValueError(f"`window` ({self.window}) must be odd")


class Clusters(CompressMethod, frozen=True, kw_only=True, tag="sentence-clusters"):
    """Keeps the most central sentences of each cluster of sentences, as quotes; reads no question."""

    paper: ClassVar[str] = "Akesson and Santos 2024 (Clustered RAG), with quotes in place of summaries"
    reads_question: ClassVar[bool] = False

    clusters: Annotated[int, Meta(ge=1, le=256, description="Clusters of the sentences of all passages.")] = 8
    text_weight: Annotated[
        float, Meta(ge=0, le=1000, description="Weight of a passage's similarity, beside words from 0 to 1.")
    ] = 0.0
    sentence_weight: Annotated[
        float, Meta(ge=0, le=1000, description="Weight of a sentence's similarity, beside words from 0 to 1.")
    ] = 0.0
