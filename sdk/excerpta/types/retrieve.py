"""Options of the retrievers; a plan has them by name: `{"retrieve": {"lexical": {"limit": 50}}}`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from excerpta.types.methods import MethodOptions


class RetrieverOptions(MethodOptions, frozen=True, kw_only=True):
    """Base: a retriever finds at most `limit` passages."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="Passages found at most.")] = 200


class Tokens(RetrieverOptions, frozen=True, kw_only=True, tag="tokens"):
    """Contextual token vectors: each token of the question retrieves the tokens nearest to it.

    Passages are scored from those, and the best again by exact MaxSim. Where `k_tokens` or `refine` is null,
    the collection's size decides: 1,000 tokens and 100 passages at 5,000 passages, more above.
    """

    paper: ClassVar[str] = "Lee et al. 2023 (XTR), arXiv 2304.01982"

    k_tokens: (
        Annotated[int, Meta(ge=1, le=100_000, description="Tokens that each query token retrieves.")] | None
    ) = None
    refine: (
        Annotated[int, Meta(ge=0, le=1000, description="Passages scored again by exact MaxSim.")] | None
    ) = None
    near: Annotated[
        float, Meta(gt=0, le=2, description="Query tokens as similar are searched once; above 1 none is.")
    ] = 0.9
    imputation: Annotated[
        Literal["lowest", "clusters"],
        Meta(
            description="What stands for a similarity that was not retrieved: the lowest that was, "
            "or a guess from the sizes of clusters (WARP)."
        ),
    ] = "lowest"


class Lexical(RetrieverOptions, frozen=True, kw_only=True, tag="lexical"):
    """BM25 over stemmed words."""

    paper: ClassVar[str] = "Robertson and Zaragoza 2009, doi 10.1561/1500000019"


class Ngrams(RetrieverOptions, frozen=True, kw_only=True, tag="ngrams"):
    """Generated n-grams: a language model writes what stands in the corpus, and that finds passages."""

    paper: ClassVar[str] = "Bevilacqua et al. 2022 (SEAL), arXiv 2204.10628"

    limit: Annotated[int, Meta(ge=1, le=1000, description="Passages found at most.")] = 100
    beams: Annotated[int, Meta(ge=1, le=64, description="N-grams that the model writes.")] = 10
    length: Annotated[int, Meta(ge=1, le=15, description="Tokens of an n-gram at most.")] = 8
    query_keys: Annotated[bool, Meta(description="Whether the question's own phrases count too.")] = True
