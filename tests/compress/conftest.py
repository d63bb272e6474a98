"""A classifier and token counters that need no model."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from tests.support.tiny.language_model import make_tiny, tiny

__all__ = ["make_tiny", "tiny"]


@dataclass(frozen=True)
class Found:
    probabilities: np.ndarray
    offsets: np.ndarray


class PieceClassifier:
    """Cuts a text into pieces of up to three characters; the piece decides its probability."""

    def keep_probabilities(self, texts: Sequence[str]) -> list[Found]:
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Found:
        pieces = list(re.finditer(r"\w{1,3}|[^\w\s]", text))
        values = [zlib.crc32(piece[0].encode()) % 1025 / 1024 for piece in pieces]
        spans = np.array([piece.span() for piece in pieces], np.int32).reshape(-1, 2)
        return Found(np.array(values, np.float32), spans)


def count_pieces(texts: Sequence[str]) -> list[int]:
    return [len(re.findall(r"\s?\w{1,4}|\s?[^\w\s]|\s", text)) for text in texts]


def count_bytes(texts: Sequence[str]) -> list[int]:
    return [-(-len(text.encode()) // 3) for text in texts]


@pytest.fixture
def classifier():
    return PieceClassifier()


@pytest.fixture(params=[count_pieces, count_bytes])
def count_tokens(request):
    return request.param
