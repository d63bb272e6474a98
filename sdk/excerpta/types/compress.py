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
    digits: Annotated[bool, Meta(description="Words with a digit stay as long as the budget allows.")] = False


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
    digits: Annotated[bool, Meta(description="Words with a digit stay as long as the budget allows.")] = True
    context_rate: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(description="Share of passages that the coarse step keeps; null: (rate + 1) / 2."),
    ] = 1.0
    word: Annotated[
        Literal["mean", "first"], Meta(description="A word's probability: of its tokens' mean, or its first.")
    ] = "mean"
    drop_consecutive: Annotated[
        bool, Meta(description="A sentence end goes where the words between it and the last one went.")
    ] = True
