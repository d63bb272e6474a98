"""Options of the methods that read a question over its passages."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from msgspec import Meta

from excerpta.types.methods import MethodOptions

Temperature: TypeAlias = Annotated[
    float, Meta(gt=0, le=2, description="APE's T: below 1 the passages' attention is sharper.")
]
Scale: TypeAlias = Annotated[
    float, Meta(gt=0, le=2, description="APE's S: multiplies the logarithm of the passages' weight.")
]
OwnTemperature: TypeAlias = Annotated[
    Temperature | None, Meta(description="APE's T; null: as the language model was calibrated.")
]
OwnScale: TypeAlias = Annotated[
    Scale | None, Meta(description="APE's S; null: as the language model was calibrated.")
]
Bias: TypeAlias = Annotated[
    float, Meta(ge=-20, le=20, description="Added to the logarithm of the passages' weight.")
]
Keep: TypeAlias = Annotated[int, Meta(ge=1, le=50, description="Passages that are left.")]


class ReadingMethod(MethodOptions, frozen=True, kw_only=True):
    """Base: how a question is read over its passages."""


class Superposition(ReadingMethod, frozen=True, kw_only=True, tag="superposition"):
    """Only the `keep` passages after which the question is likeliest are read.

    Of 10 passages, more than 2 bring the distractors back. Temperature and scale help only with many
    passages, so both are 1 by default.
    """

    paper: ClassVar[str] = "Merth et al. 2024 (superposition prompting), arXiv 2404.06910"

    keep: Keep = 2
    temperature: Temperature = 1.0
    scale: Scale = 1.0
    bias: Bias = 0.0


class Ape(ReadingMethod, frozen=True, kw_only=True, tag="ape"):
    """All passages side by side, weighed by temperature and scale."""

    paper: ClassVar[str] = "Yang et al. 2025 (APE), arXiv 2502.05431"

    temperature: OwnTemperature = None
    scale: OwnScale = None
    bias: Bias = 0.0


class Naive(ReadingMethod, frozen=True, kw_only=True, tag="naive"):
    """All passages side by side, with the weight that their keys give them."""

    paper: ClassVar[str] = "Ratner et al. 2023 (parallel context windows), arXiv 2212.10947"


class Structured(ReadingMethod, frozen=True, kw_only=True, tag="structured"):
    """All passages side by side; together they weigh as much as one of them would."""

    paper: ClassVar[str] = "Hao et al. 2022 (structured prompting), arXiv 2212.06713"


class Guard(ReadingMethod, frozen=True, kw_only=True, tag="guard"):
    """Every query of every head reads the `keep` passages that it attends to most."""

    paper: ClassVar[str] = "Zhang et al. 2025 (entropy of parallel encoding), arXiv 2412.16545"

    keep: Keep = 4
    temperature: OwnTemperature = None
    scale: OwnScale = None
    bias: Bias = 0.0


class Epic(ReadingMethod, frozen=True, kw_only=True, tag="epic"):
    """Cached passages in a row; the first tokens of each are read again in their place."""

    paper: ClassVar[str] = "Hu et al. 2024 (EPIC), arXiv 2410.15332"

    recompute_tokens: Annotated[
        int, Meta(ge=0, le=100_000, description="Tokens of each passage that are read again.")
    ] = 16


class Cacheblend(ReadingMethod, frozen=True, kw_only=True, tag="cacheblend"):
    """Cached passages in a row; the tokens whose keys deviate most are read again."""

    paper: ClassVar[str] = "Yao et al. 2024 (CacheBlend), arXiv 2405.16444"

    recompute_share: Annotated[
        float, Meta(ge=0, le=1, description="Part of the passages' tokens that is read again.")
    ] = 0.15


class Sequential(ReadingMethod, frozen=True, kw_only=True, tag="sequential"):
    """One ordinary prompt, every passage after the one before it; nothing is cached."""
