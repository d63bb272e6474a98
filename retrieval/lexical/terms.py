"""One segment's words on disk: a vocabulary and each passage's term numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.errors import IndexMismatch
from retrieval.lexical.analysis import terms_of
from retrieval.types import Int32, Int64

FORMAT = 1
_VOCABULARY, _IDS, _STARTS = "vocabulary.json", "terms.npy", "starts.npy"


class Terms:
    """The analysed words of passages 0..n-1: `ids[starts[p]:starts[p + 1]]` number into `vocabulary`."""

    def __init__(self, vocabulary: list[str], ids: Int32, starts: Int64) -> None:
        self.vocabulary = vocabulary
        self.ids = ids
        self.starts = starts

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return len(self.starts) - 1

    @classmethod
    def build(cls, directory: Path, texts: Sequence[str]) -> None:
        """Analyses the texts and writes the files into an empty directory."""
        numbers: dict[str, int] = {}
        analysed = [[numbers.setdefault(term, len(numbers)) for term in terms_of(text)] for text in texts]
        starts = np.concatenate([[0], np.cumsum([len(one) for one in analysed])]).astype(np.int64)
        ids = np.fromiter((term for one in analysed for term in one), np.int32, count=int(starts[-1]))
        np.save(directory / _IDS, ids)
        np.save(directory / _STARTS, starts)
        body = json.dumps({"format": FORMAT, "terms": list(numbers)}, ensure_ascii=False)
        (directory / _VOCABULARY).write_text(body, "utf-8")

    @classmethod
    def open(cls, directory: Path) -> Terms:
        """Reads what `build` wrote. Raises IndexMismatch for another format."""
        body = json.loads((directory / _VOCABULARY).read_text("utf-8"))
        if body.get("format") != FORMAT:
            raise IndexMismatch("lexical format", str(body.get("format")), str(FORMAT))
        ids, starts = (np.load(directory / name, allow_pickle=False) for name in (_IDS, _STARTS))
        return cls(body["terms"], ids, starts)
