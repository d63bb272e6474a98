"""Reads sample files in a child process with limits, and compares them with their expected text."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchmarks.reading.measures import (
    Share,
    cells_right,
    tables_in,
    text_in,
    words_found,
    words_of,
    words_right,
)
from benchmarks.reading.samples import Sample
from retrieval.corpus.file_reader import ReadInChild
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.load import Loaded
from retrieval.corpus.remarks import Remark
from retrieval.errors import UnreadableDocument
from retrieval.types import Document


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a file. `problem` says why nothing or only a part was read; "" if all was."""

    sample: Sample
    documents: int
    characters: int
    problem: str
    recall: Share
    precision: Share
    cells: Share

    @property
    def unreadable(self) -> bool:
        """Whether nothing was read."""
        return not self.documents

    @property
    def in_part(self) -> bool:
        """Whether something that a reader would see was left out."""
        return bool(self.documents and self.problem)

    @property
    def whole(self) -> bool:
        """Whether all was read, as far as the loader knows."""
        return bool(self.documents and not self.problem)


def read(samples: Sequence[Sample], limits: LoadLimits | None = None) -> tuple[list[Reading], float]:
    """What was read of each file, and CPU seconds of the child processes that read them."""
    before = _child_seconds()
    reader = ReadInChild(limits or LoadLimits())
    try:
        found = [(sample, list(reader(_name(sample), sample.path))) for sample in samples]
    finally:
        reader.close()
    seconds = _child_seconds() - before
    return [_reading(sample, loaded) for sample, loaded in found], seconds


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _name(sample: Sample) -> str:
    return f"{PurePosixPath(sample.name).stem}.{sample.extension}"


def _reading(sample: Sample, loaded: Sequence[Loaded]) -> Reading:
    documents = [one for one in loaded if isinstance(one, Document)]
    problems = [one.reason for one in loaded if isinstance(one, UnreadableDocument)]
    problems += [one.text for one in loaded if isinstance(one, Remark) and not (one.whole and documents)]
    recall, precision, cells = _shares(sample, documents)
    return Reading(
        sample,
        len(documents),
        sum(len(one.text) for one in documents),
        "; ".join(problems),
        recall,
        precision,
        cells,
    )


def _shares(sample: Sample, documents: Sequence[Document]) -> tuple[Share, Share, Share]:
    if sample.expected is None:
        return Share(), Share(), Share()
    expected = words_of(text_in(sample.files.form, sample.expected))
    read_words = words_of("\n".join(_expected_part(sample, one) for one in documents))
    rows = [one.text[mark.start : mark.end] for one in documents for mark in one.marks if mark.kind == "row"]
    return (
        words_found(expected, read_words),
        words_right(expected, read_words),
        cells_right(tables_in(sample.files.form, sample.expected), rows),
    )


def _expected_part(sample: Sample, document: Document) -> str:
    if not sample.files.first_page:
        return document.text
    pages = (mark for mark in document.marks if mark.kind == "page" and mark.number == 1)
    return "".join(document.text[mark.start : mark.end] for mark in pages)
