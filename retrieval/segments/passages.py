"""A segment's passages and documents on disk: texts, spans, headings, metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.arrays import open_bytes
from retrieval.types import Document, Int32, Int64, Mark, Metadata, Passage

_TEXT, _BOUNDS, _SPANS, _OWNERS = "text.bin", "bounds.npy", "spans.npy", "owners.npy"
_DOCUMENTS, _HEADINGS, _MARKS = "documents.json", "headings.json", "marks.json"


class PassageStore:
    """Passages by local number 0..n-1, in document order; texts that are long stay on disk, memory-mapped."""

    def __init__(
        self,
        text: np.ndarray,
        bounds: Int64,
        spans: Int32,
        owners: Int32,
        documents: dict[str, list[object]],
        headings: list[str],
        marks: list[list[list[Any]]],
    ) -> None:
        self._text = text
        self._bounds = bounds
        self._spans = spans
        self._headings = headings
        self._marks = marks
        self.owners = owners
        """Which document (local number) each passage is of: (passages,), rising."""
        self.ids: list[str] = documents["ids"]  # type: ignore[assignment]
        self.titles: list[str] = documents["titles"]  # type: ignore[assignment]
        self.metadata: list[Metadata] = documents["metadata"]  # type: ignore[assignment]
        self.places = {identity: document for document, identity in enumerate(self.ids)}
        """Local number of each document, by id."""
        self._first = np.searchsorted(owners, np.arange(len(self.ids)))

    def __len__(self) -> int:
        return len(self.owners)

    @classmethod
    def build(
        cls, directory: Path, documents: Sequence[Document], passages: Sequence[Sequence[Passage]]
    ) -> None:
        """Writes documents and each one's passages into an empty directory."""
        sizes = [0]
        spans: list[tuple[int, int]] = []
        headings: list[str] = []
        marks: list[tuple[Mark, ...]] = []
        counts: list[int] = []
        with (directory / _TEXT).open("wb") as file:
            for of_one in passages:
                counts.append(len(of_one))
                for passage in of_one:
                    sizes.append(file.write(passage.text.encode()))
                    spans.append((passage.start, passage.end))
                    headings.append(passage.heading)
                    marks.append(passage.marks)
        np.save(directory / _BOUNDS, np.cumsum(sizes, dtype=np.int64))
        np.save(directory / _SPANS, np.array(spans, np.int32).reshape(-1, 2))
        np.save(directory / _OWNERS, np.repeat(np.arange(len(documents)), counts).astype(np.int32))
        body = {
            "ids": [document.id for document in documents],
            "titles": [document.title for document in documents],
            "metadata": [dict(document.metadata) for document in documents],
        }
        (directory / _DOCUMENTS).write_text(json.dumps(body, ensure_ascii=False), "utf-8")
        (directory / _HEADINGS).write_text(json.dumps(headings, ensure_ascii=False), "utf-8")
        if any(marks):  # segments of documents without pages and rows have no such file
            (directory / _MARKS).write_text(json.dumps(marks), "utf-8")

    @classmethod
    def open(cls, directory: Path) -> PassageStore:
        """Opens what `build` wrote."""
        text = open_bytes(directory / _TEXT)
        bounds, spans, owners = (
            np.load(directory / name, allow_pickle=False) for name in (_BOUNDS, _SPANS, _OWNERS)
        )
        documents, headings = (
            json.loads((directory / name).read_text("utf-8")) for name in (_DOCUMENTS, _HEADINGS)
        )
        found = directory / _MARKS
        marks = json.loads(found.read_text("utf-8")) if found.exists() else [[]] * len(headings)
        return cls(text, bounds, spans, owners, documents, headings, marks)

    def of_document(self, document: int) -> range:
        """The numbers of one document's passages."""
        after = document + 1
        return range(
            int(self._first[document]), int(self._first[after]) if after < len(self.ids) else len(self)
        )

    def passage(self, number: int) -> Passage:
        """One passage, whole."""
        document = int(self.owners[number])
        start, end = self._spans[number].tolist()
        first, last = self._bounds[number : number + 2].tolist()
        text = self._text[first:last].tobytes().decode()
        marks = self._marks[number]
        return Passage(
            document_id=self.ids[document],
            ordinal=number - int(self._first[document]),
            text=text,
            start=start,
            end=end,
            title=self.titles[document],
            heading=self._headings[number],
            marks=tuple(Mark(*mark) for mark in marks) if marks else (),
        )
