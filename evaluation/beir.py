"""Data sets in BEIR layout: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from retrieval.types import Document

SPLITS = ("test", "eval_half", "dev")

Qrels: TypeAlias = dict[str, dict[str, int]]
"""The grade of each judged document, by query."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One set of queries with their judgments; documents are `name/id`, so that sets can be united."""

    name: str
    documents: list[Document]
    queries: dict[str, str]
    qrels: Qrels


def load(directory: Path, split: str | None = None, *, sample: int | None = None, seed: int = 0) -> DataSet:
    """Reads one set; `sample` keeps that many judged queries, chosen by `seed`.

    Raises FileNotFoundError with the splits there are when `split` is not one of them.
    """
    name = directory.name
    documents = [
        Document(id=f"{name}/{row['_id']}", title=row.get("title", ""), text=row["text"])
        for row in rows(directory / "corpus.jsonl")
        if row["text"].strip()
    ]
    judged = {
        query: {f"{name}/{document}": grade for document, grade in grades.items()}
        for query, grades in judgments(split_file(directory, split)).items()
    }
    queries, qrels = _chosen(directory, judged, sample, seed)
    return DataSet(name, documents, queries, qrels)


def load_questions(
    directory: Path, split: str | None = None, *, sample: int | None = None, seed: int = 0
) -> DataSet:
    """Reads queries and judgments alone, for documents that are indexed already: their ids stay as they are.

    `corpus.jsonl` need not be there. Raises FileNotFoundError as `load` does.
    """
    queries, qrels = _chosen(directory, judgments(split_file(directory, split)), sample, seed)
    return DataSet(directory.name, [], queries, qrels)


def _chosen(directory: Path, qrels: Qrels, sample: int | None, seed: int) -> tuple[dict[str, str], Qrels]:
    texts = {row["_id"]: row["text"] for row in rows(directory / "queries.jsonl")}
    judged = sorted(query for query in qrels if query in texts)
    if sample is not None and sample < len(judged):
        judged = sorted(random.Random(seed).sample(judged, sample))
    return {query: texts[query] for query in judged}, {query: qrels[query] for query in judged}


def split_file(directory: Path, split: str | None = None) -> Path:
    """The judgments of a split; without a name, of the first of `SPLITS` there is."""
    there = split_files(directory)
    for name in (split,) if split else SPLITS:
        if name in there:
            return there[name]
    raise FileNotFoundError(f"{directory}: no such split; it has {', '.join(there) or 'none'}")


def split_files(directory: Path) -> dict[str, Path]:
    """The files of judgments, by split."""
    return {path.stem: path for path in sorted((directory / "qrels").glob("*.tsv"))}


def judgments(path: Path) -> Qrels:
    """Reads one file of judgments, in its order."""
    qrels: Qrels = {}
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t")
        next(lines)
        for query, document, grade in lines:
            qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def relevant_documents(path: Path) -> dict[str, list[str]]:
    """The documents that answer each query, without those judged as wrong."""
    judged = {
        query: [document for document, grade in grades.items() if grade > 0]
        for query, grades in judgments(path).items()
    }
    return {query: documents for query, documents in judged.items() if documents}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
