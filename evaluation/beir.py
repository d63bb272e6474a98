"""Data sets in BEIR layout: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.types import Document

SPLITS = ("test", "eval_half", "dev")


@dataclass(frozen=True, slots=True)
class DataSet:
    """One set of queries with their judgments; documents are `name/id`, so that sets can be united."""

    name: str
    documents: list[Document]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def load(directory: Path, split: str | None = None, *, sample: int | None = None, seed: int = 0) -> DataSet:
    """Reads one set; `sample` keeps that many judged queries, chosen by `seed`.

    Raises FileNotFoundError with the splits there are when `split` is not one of them.
    """
    name = directory.name
    documents = [
        Document(id=f"{name}/{row['_id']}", title=row.get("title", ""), text=row["text"])
        for row in _lines(directory / "corpus.jsonl")
        if row["text"].strip()
    ]
    qrels = _qrels(_split_file(directory, split), name)
    texts = {row["_id"]: row["text"] for row in _lines(directory / "queries.jsonl")}
    judged = sorted(query for query in qrels if query in texts)
    if sample is not None and sample < len(judged):
        judged = sorted(random.Random(seed).sample(judged, sample))
    return DataSet(name, documents, {q: texts[q] for q in judged}, {q: qrels[q] for q in judged})


def _split_file(directory: Path, split: str | None) -> Path:
    there = {path.stem: path for path in sorted((directory / "qrels").glob("*.tsv"))}
    for name in (split,) if split else SPLITS:
        if name in there:
            return there[name]
    raise FileNotFoundError(f"{directory}: no such split; it has {', '.join(there) or 'none'}")


def _qrels(path: Path, name: str) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows)
        for query, document, score in rows:
            qrels.setdefault(query, {})[f"{name}/{document}"] = int(score)
    return qrels


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
