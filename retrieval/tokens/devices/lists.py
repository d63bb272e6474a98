"""Copies the contents of FAISS's inverted lists into plain arrays that any device can search.

A byte of a code names one of 256 short vectors (a word) for its span of components, so a token is its list's
centroid plus the words of its bytes. That covers two 4-bit product codes a byte, and eight signs (RaBitQ).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.tokens.storage.ivf import InvertedLists
from retrieval.types import Float32, Int32, Int64

UInt8 = NDArray[np.uint8]

_BLOCK = 32
# Where FAISS's fast scan keeps the vectors of a block: byte j has vector _ORDER[j] in its low half and
# vector _ORDER[j] + 16 in its high half (pq4_pack_codes).
_ORDER = np.array([0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15])
_FACTORS = 8  # bytes after the signs of a RaBitQ code: two float32


@dataclass(frozen=True, slots=True, eq=False)
class ListedCodes:
    """Tokens in the order of the lists: codes (tokens, w) and the passages that own them (tokens,).

    List l has tokens `starts[l]` to `starts[l + 1]` and its centroid (d,). The similarity of a query q to
    a token is q . centroid + scale * sum over bytes b of (words[b, code[b]] . q's b-th span) + offset, with
    words (w, 256, s); q is filled up with zeros to w * s. Scales and offsets (tokens,) are None where all
    are 1 and 0.
    """

    centroids: Float32
    starts: Int64
    owners: Int32
    codes: UInt8
    words: Float32
    scales: Float32 | None
    offsets: Float32 | None

    @staticmethod
    def size(lists: InvertedLists) -> int:
        """The bytes of all that `read` gives, and of the lists' lengths."""
        index = lists.index
        if hasattr(index, "pq"):
            width, span, factors = index.M2 // 2, 2 * index.pq.dsub, 0
        else:
            width, span, factors = (index.d + 7) // 8, 8, _FACTORS
        a_list = 4 * index.d + 2 * 8
        return int(index.ntotal) * (width + 4 + factors) + lists.lists * a_list + 4 * 256 * width * span

    @classmethod
    def read(cls, lists: InvertedLists) -> ListedCodes:
        """Copies them out of an opened index."""
        index = lists.index
        inverted = index.invlists
        sizes = [inverted.list_size(one) for one in range(lists.lists)]
        starts = np.cumsum([0, *sizes], dtype=np.int64)
        centroids: Float32 = index.quantizer.reconstruct_n(0, lists.lists)
        owners = np.empty(starts[-1], np.int32)
        for at in np.flatnonzero(sizes):
            owners[starts[at] : starts[at + 1]] = faiss.rev_swig_ptr(
                inverted.get_ids(int(at)), int(sizes[at])
            )
        if hasattr(index, "pq"):
            codes = _product_codes(index, starts)
            return cls(centroids, starts, owners, codes, _product_words(index), None, None)
        codes, scales, offsets = _sign_codes(index, starts, centroids)
        return cls(centroids, starts, owners, codes, _sign_words(index.d), scales, offsets)


def _product_codes(index: Any, starts: Int64) -> UInt8:
    """Fast-scan blocks, turned back into one row a token with two 4-bit codes a byte, the first below."""
    width = index.M2 // 2
    codes = np.empty((int(starts[-1]), width), np.uint8)
    for at, size in _filled(starts):
        blocks = -(-size // _BLOCK)
        packed = faiss.rev_swig_ptr(index.invlists.get_codes(at), blocks * _BLOCK * width)
        halves = np.ascontiguousarray(packed.reshape(blocks, width, 2, 16).transpose(2, 0, 3, 1))
        rows = np.empty((blocks, _BLOCK, width), np.uint8)
        rows[:, _ORDER] = (halves[0] & 15) | (halves[1] << 4)
        rows[:, _ORDER + 16] = (halves[0] >> 4) | (halves[1] & 240)
        codes[starts[at] : starts[at + 1]] = rows.reshape(-1, width)[:size]
    return codes


def _product_words(index: Any) -> Float32:
    """All pairs of a byte's two codebook entries (w, 256, 2 s); an odd last one has zeros beside it."""
    books = faiss.vector_to_array(index.pq.centroids).reshape(index.pq.M, 16, index.pq.dsub)
    books = np.concatenate([books, np.zeros((index.M2 - index.pq.M, 16, index.pq.dsub), np.float32)])
    values = np.arange(256)
    return np.concatenate([books[0::2][:, values & 15], books[1::2][:, values >> 4]], axis=2)


def _sign_codes(index: Any, starts: Int64, centroids: Float32) -> tuple[UInt8, Float32, Float32]:
    """RaBitQ's signs, and its estimate of a residual's inner product as a scale and an offset a token.

    With o the token, c its centroid, s its signs over sqrt(d), FAISS keeps f = |o - c|^2 - |o|^2 and m and
    takes q . o for q . c + m (q . s) - m (c . s) - (f + |c|^2) / 2 (Gao and Long 2024, in FAISS's form).
    """
    width = (index.d + 7) // 8
    codes = np.empty((int(starts[-1]), width), np.uint8)
    scales, offsets = (np.empty(len(codes), np.float32) for _ in range(2))
    for at, size in _filled(starts):
        rows = faiss.rev_swig_ptr(index.invlists.get_codes(at), size * index.code_size)
        rows = rows.reshape(size, index.code_size)
        factors = rows[:, width : width + _FACTORS].copy().view(np.float32)
        signs = np.unpackbits(rows[:, :width], axis=1, count=index.d, bitorder="little") * 2.0 - 1.0
        own = slice(int(starts[at]), int(starts[at + 1]))
        centroid = centroids[at]
        codes[own], scales[own] = rows[:, :width], factors[:, 1]
        offsets[own] = -factors[:, 1] * (signs @ centroid) / np.sqrt(index.d)
        offsets[own] -= (factors[:, 0] + centroid @ centroid) / 2
    return codes, scales, offsets


def _sign_words(dim: int) -> Float32:
    """The eight signs of each byte value, over sqrt(d): (w, 256, 8)."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    signs = ((bits * 2.0 - 1.0) / np.sqrt(dim)).astype(np.float32)
    return np.repeat(signs[None], (dim + 7) // 8, axis=0)


def _filled(starts: Int64) -> Iterator[tuple[int, int]]:
    """Number and size of each list that is not empty."""
    sizes = np.diff(starts)
    return ((int(at), int(sizes[at])) for at in np.flatnonzero(sizes))
