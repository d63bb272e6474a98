"""Options of the methods that rank passages anew."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from excerpta.types.methods import MethodOptions


class RerankMethod(MethodOptions, frozen=True, kw_only=True):
    """Base: the first `limit` passages are ranked anew, the others follow as they were."""

    limit: Annotated[int, Meta(ge=1, le=100, description="Passages that are ranked anew.")] = 10


class Likelihood(RerankMethod, frozen=True, kw_only=True, tag="likelihood"):
    """Mean log p(question token | passage), by the language model.

    Scores are log-probabilities a token, comparable between calls with one question.
    """

    paper: ClassVar[str] = "Sachan et al. 2022 (UPR), arXiv 2204.07496, equation 2"
    score_scale: ClassVar[str] = "a mean log-probability, below 0. It compares passages of one question."

    passage_tokens: Annotated[
        int, Meta(ge=8, le=8192, description="Tokens of a passage that are read; the rest is cut.")
    ] = 200
    query_tokens: Annotated[
        int, Meta(ge=1, le=1024, description="Tokens of the question that are scored.")
    ] = 64


class First(RerankMethod, frozen=True, kw_only=True, tag="first"):
    """One forward pass a window: the logits of the passages' letters are the ranking.

    More passages than `window` go through windows from the back to the front. With `calibrate` each list is
    read for an empty question as well, with `orders` in several orders, and the log-probabilities averaged.
    """

    paper: ClassVar[str] = "Gangi Reddy et al. 2024 (FIRST), arXiv 2406.15657"
    score_scale: ClassVar[str] = (
        "a probability, 0 to 1; those of one window add up to 1. It compares passages of one window only."
    )

    window: Annotated[int, Meta(ge=2, le=20, description="Passages in one prompt.")] = 20
    stride: Annotated[int, Meta(ge=1, le=19, description="By how many places the window moves.")] = 10
    passage_words: Annotated[
        int, Meta(ge=1, le=10_000, description="Words of a passage that are read; the rest is cut.")
    ] = 300
    window_tokens: Annotated[
        int,
        Meta(ge=16, le=1_000_000, description="Tokens of a window's passages; with long ones it has fewer."),
    ] = 8192
    calibrate: Annotated[
        bool, Meta(description="Whether what the letters get for an empty question is taken off.")
    ] = False
    orders: Annotated[int, Meta(ge=1, le=8, description="Orders in which a window is read.")] = 1

    def __post_init__(self) -> None:
        """Raises ValueError where passages would be left out between two windows."""
        if self.stride >= self.window:
            raise ValueError(f"`stride` ({self.stride}) must be less than `window` ({self.window})")


class Icr(RerankMethod, frozen=True, kw_only=True, tag="icr"):
    """The attention that the question pays to each passage, less what an empty question pays.

    All passages stand in one context; no training is needed. The network is read up to `layers_to` only.
    """

    paper: ClassVar[str] = "Chen et al. 2024 (ICR), arXiv 2410.02642"
    score_scale: ClassVar[str] = (
        "attention over chance, around 0, by the layers read. It compares passages of one window only."
    )

    window: Annotated[int, Meta(ge=2, le=100, description="Passages in one context.")] = 100
    stride: Annotated[int, Meta(ge=1, le=99, description="By how many places the window moves.")] = 50
    passage_tokens: Annotated[
        int, Meta(ge=8, le=8192, description="Tokens of a passage that are read; the rest is cut.")
    ] = 200
    query_tokens: Annotated[
        int, Meta(ge=1, le=1024, description="Tokens of the question that are read; the rest is cut.")
    ] = 128
    layers_from: Annotated[
        float, Meta(ge=0, lt=1, description="The first layer, as a share of the network's depth.")
    ] = 0.6
    layers_to: Annotated[
        float, Meta(gt=0, le=1, description="Where the layers end, as a share of the network's depth.")
    ] = 0.62
    calibrate: Annotated[
        bool, Meta(description="Whether the attention of an empty question is taken off.")
    ] = True
    reverse: Annotated[
        bool, Meta(description="Whether the first passage stands last, next to the question.")
    ] = True
    deviations: Annotated[
        float,
        Meta(ge=0, le=100, description="Tokens so many deviations below their passage's mean are left out."),
    ] = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError for windows that leave passages out, and for layers that end too early."""
        if self.stride >= self.window:
            raise ValueError(f"`stride` ({self.stride}) must be less than `window` ({self.window})")
        if self.layers_from >= self.layers_to:
            raise ValueError(
                f"`layers_from` ({self.layers_from}) must be less than `layers_to` ({self.layers_to})"
            )


class CachedLikelihood(RerankMethod, frozen=True, kw_only=True, tag="cached-likelihood"):
    """Mean log p(question token | passage) over cached passages: costs the question's tokens alone.

    Passages that are not in the prefix store yet are encoded once; the answer reads the same blocks.
    """

    paper: ClassVar[str] = "Merth et al. 2024 (superposition prompting, path pruning), arXiv 2404.06910"
    score_scale: ClassVar[str] = "a mean log-probability, below 0. It compares passages of one question."


class CrossEncoder(RerankMethod, frozen=True, kw_only=True, tag="cross-encoder"):
    """A trained network reads question and passage together; needs `[cross_encoder]` in the profile."""

    paper: ClassVar[str] = "Nogueira and Cho 2019, arXiv 1901.04085"
    score_scale: ClassVar[str] = (
        "a logit of any size. Its meaning across questions depends on the network's training."
    )

    batch: Annotated[int, Meta(ge=1, le=256, description="Pairs in one forward pass.")] = 16
    max_tokens: Annotated[
        int, Meta(ge=16, le=8192, description="Tokens of a pair that are read; the passage is cut.")
    ] = 512
