"""One segment's words on disk: a vocabulary, and how often each passage has which of its terms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from base.text.terms import analysed
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.lexical.analysis import CURRENT, QUESTIONS
from retrieval.types import Int32, Int64

FORMAT = 1
_HEADER = "terms.json"
_ARRAYS = ("terms", "counts", "starts", "lengths")


@dataclass(frozen=True, slots=True)
class Terms:
    """Passage p has the distinct terms `terms[starts[p]:starts[p + 1]]`, `counts` times each.

    Terms number into `vocabulary`; `lengths` (passages,) are words with repetitions, other spellings not
    counted. `analysis` names how the texts were read.
    """

    analysis: str

    vocabulary: list[str]
    terms: Int32
    counts: Int32
    starts: Int64
    lengths: Int32

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return len(self.lengths)

    @classmethod
    def build(cls, directory: Path, texts: Sequence[str]) -> None:
        """Analyses the texts and writes the files into an existing empty directory."""
        numbers: dict[str, int] = {}
        counted: list[dict[int, int]] = []
        lengths: list[int] = []
        for text in texts:
            words, spellings = analysed(text)
            lengths.append(len(words))
            found = Counter(chain(words, spellings))
            counted.append({numbers.setdefault(term, len(numbers)): count for term, count in found.items()})
        starts = np.cumsum([0, *map(len, counted)], dtype=np.int64)
        arrays: dict[str, Int32 | Int64] = {
            "terms": np.fromiter((term for one in counted for term in one), np.int32, int(starts[-1])),
            "counts": np.fromiter(
                (count for one in counted for count in one.values()), np.int32, int(starts[-1])
            ),
            "starts": starts,
            "lengths": np.array(lengths, np.int32),
        }
        for name, array in arrays.items():
            np.save(directory / f"{name}.npy", array, allow_pickle=False)
        header = {"format": FORMAT, "analysis": CURRENT, "vocabulary": list(numbers)}
        (directory / _HEADER).write_text(json.dumps(header), encoding="utf-8")

    @classmethod
    def open(cls, directory: Path) -> Terms:
        """Reads what `build` wrote. Raises CorruptSegment; IndexMismatch for another format or analysis."""
        path = directory / _HEADER
        try:
            header = json.loads(path.read_text(encoding="utf-8"))
            format_, analysed_by, vocabulary = (header[key] for key in ("format", "analysis", "vocabulary"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptSegment(str(path), f"cannot be read ({error!r})") from error
        if format_ != FORMAT:
            raise IndexMismatch("lexical format", str(format_), str(FORMAT))
        if analysed_by not in QUESTIONS:
            raise IndexMismatch("text analysis", str(analysed_by), CURRENT)
        try:
            arrays = [
                np.asarray(np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False))
                for name in _ARRAYS
            ]
        except (OSError, ValueError, EOFError) as error:
            raise CorruptSegment(str(directory), f"an array cannot be read ({error})") from error
        opened = cls(analysed_by, vocabulary, *arrays)
        if not opened._fits():
            raise CorruptSegment(str(directory), "its arrays do not fit together")
        return opened

    def _fits(self) -> bool:
        return (
            self.starts.shape == (self.passages + 1,)
            and self.terms.shape == self.counts.shape == (int(self.starts[-1]),)
            and int(self.terms.max(initial=-1)) < len(self.vocabulary)
        )
