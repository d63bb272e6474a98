"""Writes small sets in BEIR layout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_beir(
    directory: Path,
    documents: Sequence[Mapping[str, str]],
    queries: Sequence[Mapping[str, object]],
    splits: Mapping[str, Sequence[tuple[str, str, int]]],
) -> Path:
    """Writes documents, queries, and for each split its (query, document, grade) rows."""
    (directory / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", documents), ("queries", queries)):
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split, judged in splits.items():
        lines = [f"{query}\t{document}\t{grade}\n" for query, document, grade in judged]
        (directory / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return directory


def tides(directory: Path) -> Path:
    """Three documents and two questions that words alone answer."""
    return write_beir(
        directory,
        [
            {"_id": "moon", "title": "Tides", "text": "Tides are caused by the gravity of the moon and sun."},
            {
                "_id": "money",
                "title": "Travel",
                "text": "Travel above euros is approved by the head of finance.",
            },
            {"_id": "magma", "text": "Volcanoes erupt when magma rises through the crust."},
        ],
        [{"_id": "q1", "text": "what erupt magma"}, {"_id": "q2", "text": "who may approve travel finance"}],
        {"test": [("q1", "magma", 1), ("q1", "moon", 0), ("q2", "money", 2)], "dev": [("q2", "moon", 1)]},
    )
