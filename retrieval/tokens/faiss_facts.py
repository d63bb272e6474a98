"""Checks at a service's start that FAISS does what this package relies on, also after an upgrade."""

from __future__ import annotations

import functools
from importlib import metadata

import faiss
import numpy as np

from retrieval.tokens.errors import UnusableFaiss

_PASSAGES, _EACH, _DIM = 80, 10, 16


@functools.cache
def check_faiss() -> None:
    """Raises UnusableFaiss, with the remedy, where FAISS does not do what token retrieval needs of it."""
    _check_installed(_distributions())
    for factory in ("IVF4,PQ8x4fsr", "IVF4,RaBitQ"):
        _check_search(factory)


def _distributions() -> list[str]:
    return sorted(
        {
            name
            for one in metadata.distributions()
            if (name := (one.metadata["Name"] or "").lower()).startswith("faiss-")
        }
    )


def _check_installed(found: list[str]) -> None:
    if len(found) > 1:
        raise UnusableFaiss(
            f"{' and '.join(found)} are both installed and overwrite each other's files; "
            f"uninstall them and install one: pip uninstall -y {' '.join(found)}"
        )


def _check_search(factory: str) -> None:
    """Ids need not be unique, a bitmap bars passages inside the scan, and no similarity is too low."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((_PASSAGES * _EACH, _DIM), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owners = np.repeat(np.arange(_PASSAGES), _EACH)
    index = faiss.index_factory(_DIM, factory, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add_with_ids(vectors, owners)
    allowed = owners % 3 == 0
    bits = np.packbits(np.arange(_PASSAGES) % 3 == 0, bitorder="little")
    settings = faiss.SearchParametersIVF(nprobe=4, sel=faiss.IDSelectorBitmap(bits))
    similarities, passages = index.search(vectors[:8], len(vectors), params=settings)
    found = passages >= 0
    expected = np.bincount(owners[allowed], minlength=_PASSAGES)
    counts = [np.bincount(row[row >= 0], minlength=_PASSAGES) for row in passages]
    if not all((count == expected).all() for count in counts):
        raise UnusableFaiss(_remedy(factory, "does not search by bitmap among passages of several tokens"))
    exact = vectors[:8] @ vectors.T
    if similarities[found].min() > exact[:, allowed].min() / 2:
        raise UnusableFaiss(_remedy(factory, "drops low similarities"))


def _remedy(factory: str, fault: str) -> str:
    return f"FAISS {faiss.__version__} {fault} ({factory}); install faiss-cpu 1.12 to 1.15"
