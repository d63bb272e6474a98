"""Lists of candidates to rerank: published ones, multi-document prompts, BM25 over sets in BEIR layout."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.beir import Qrels, judgments, rows, split_file
from retrieval.lexical import Bm25
from training.data.contrastive import bm25_over

LONGEST = 100


@dataclass(frozen=True, slots=True)
class Candidates:
    """One question's candidates in the order of the first stage, and all judgments of the question."""

    query: str
    question: str
    documents: tuple[str, ...]
    texts: tuple[str, ...]
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The lists of one first stage over one set of questions."""

    name: str
    lists: list[Candidates]

    @property
    def qrels(self) -> Qrels:
        """The judgments of every question."""
        return {one.query: dict(one.grades) for one in self.lists}

    def sample(self, count: int | None, seed: int) -> CandidateSet:
        """As many of the questions, chosen by `seed`; all without a `count`."""
        if count is None or count >= len(self.lists):
            return self
        chosen = set(random.Random(seed).sample(sorted(one.query for one in self.lists), count))
        return CandidateSet(self.name, [one for one in self.lists if one.query in chosen])


def read_sets(directory: Path, split: str | None = None) -> list[CandidateSet]:
    """The lists of a directory.

    Files `*.jsonl` of `candidates` are a set each. A set in BEIR layout gives BM25's best 100 of its corpus,
    or, where it has `multidoc.jsonl`, the documents of each of those prompts in BM25's order. Raises
    FileNotFoundError where it is neither.
    """
    if not (directory / "corpus.jsonl").exists():
        files = sorted(directory.glob("*.jsonl"))
        if not files:
            raise FileNotFoundError(f"{directory}: no lists of candidates and no corpus.jsonl")
        return [CandidateSet(file.stem, [_published(row) for row in rows(file)]) for file in files]
    texts = {
        row["_id"]: f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])
        for row in rows(directory / "corpus.jsonl")
        if row["text"].strip()
    }
    corpus = _Corpus(list(texts), list(texts.values()), bm25_over(list(texts.values())))
    if split is None and (directory / "multidoc.jsonl").exists():
        return [CandidateSet(f"{directory.name}.multidoc", list(_multidoc(directory, corpus)))]
    return [CandidateSet(f"{directory.name}.bm25", list(_searched(directory, split, corpus)))]


@dataclass(frozen=True, slots=True)
class _Corpus:
    documents: list[str]
    texts: list[str]
    search: Bm25

    def candidates(
        self, query: str, question: str, numbers: Sequence[int], grades: Mapping[str, int]
    ) -> Candidates:
        return Candidates(
            query,
            question,
            tuple(self.documents[number] for number in numbers),
            tuple(self.texts[number] for number in numbers),
            grades,
        )


def _published(row: Mapping[str, Any]) -> Candidates:
    return Candidates(
        row["qid"],
        row["query"],
        tuple(one["docid"] for one in row["candidates"]),
        tuple(one["text"] for one in row["candidates"]),
        row["qrels"],
    )


def _multidoc(directory: Path, corpus: _Corpus) -> Iterator[Candidates]:
    numbers = {document: number for number, document in enumerate(corpus.documents)}
    for row in rows(directory / "multidoc.jsonl"):
        # By id first, so that equal scores do not stand in the order that the file gives.
        listed = np.array(sorted(numbers[one] for one in [row["gold"], *row["distractors"]]), np.int64)
        order = np.argsort(-corpus.search.scores(row["question"], listed), kind="stable")
        yield corpus.candidates(row["qid"], row["question"], listed[order].tolist(), {row["gold"]: 1})


def _searched(directory: Path, split: str | None, corpus: _Corpus) -> Iterator[Candidates]:
    questions = {row["_id"]: row["text"] for row in rows(directory / "queries.jsonl")}
    for query, grades in judgments(split_file(directory, split)).items():
        if query in questions:
            hits = corpus.search.search(questions[query], limit=LONGEST, allowed=None)
            yield corpus.candidates(query, questions[query], hits.numbers.tolist(), grades)
