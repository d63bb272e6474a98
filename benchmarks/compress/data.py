"""Questions with their passages, as a search would have found them, and what an index lends of these."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np

from compress import TokenSimilarities
from evaluation.beir import judgments, rows, split_file
from models import Models
from retrieval.tokens import TokenEncoder
from retrieval.types import TokenVectors

LISTED, MEETINGS = "multidoc.jsonl", "meetings.jsonl"
TEXTS = {LISTED: 20}
USUAL = 5
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its passages; `gold` are the places of those that answer it.

    `answers` stand in one of these, character by character; without any, what counts is how much of the
    gold passages stays.
    """

    query: str
    titles: tuple[str, ...]
    texts: tuple[str, ...]
    answers: tuple[str, ...]
    gold: tuple[int, ...]


def read_questions(
    data: Path, split: str | None, count: int, *, texts: int | None, seed: int
) -> list[Question]:
    """A seeded sample of the questions of a BEIR folder, each with `texts` passages.

    `multidoc.jsonl` lists the passages of each question, 20 by default. Of meetings all passages of the
    question's meeting are given. In other sets (5 by default) the others are passages of the same title, and
    then those most like the question by BM25 that hold no answer.
    """
    rng = random.Random(seed)
    corpus = {row["_id"]: row for row in rows(data / "corpus.jsonl")}
    if split is None and (data / LISTED).is_file():
        asked = _listed(data, corpus, texts or TEXTS[LISTED])
    elif (data / MEETINGS).is_file():
        asked = _meetings(data, split, corpus)
    else:
        asked = _nearest(data, split, corpus, texts or USUAL)
    found = [one for one in asked if one is not None]
    return [_shuffled(one, rng) for one in rng.sample(found, min(count, len(found)))]


def _listed(data: Path, corpus: Mapping[str, Row], texts: int) -> Iterator[Question | None]:
    for row in rows(data / LISTED):
        shown = [corpus[row["gold"]], *(corpus[one] for one in row["distractors"][: texts - 1])]
        yield _question(row["question"], shown, 1, row["answers"])


def _meetings(data: Path, split: str | None, corpus: Mapping[str, Row]) -> Iterator[Question | None]:
    queries = {row["_id"]: row for row in rows(data / "queries.jsonl")}
    for query, relevant in judgments(split_file(data, split)).items():
        title = corpus[next(iter(relevant))]["title"]
        of_meeting = [row for row in corpus.values() if row["title"] == title]
        gold = tuple(at for at, row in enumerate(of_meeting) if row["_id"] in relevant)
        if len(gold) <= len(of_meeting) // 4:  # else the question is about the whole meeting
            shown = tuple(row["text"] for row in of_meeting)
            yield Question(queries[query]["text"], ("",) * len(shown), shown, (), gold)


def _nearest(
    data: Path, split: str | None, corpus: Mapping[str, Row], texts: int
) -> Iterator[Question | None]:
    queries = {row["_id"]: row for row in rows(data / "queries.jsonl")}
    ids = list(corpus)
    index = bm25s.BM25()
    read = [f"{row.get('title', '')} {row['text']}" for row in corpus.values()]
    index.index(bm25s.tokenize(read, stopwords="en", show_progress=False), show_progress=False)
    for query, relevant in judgments(split_file(data, split)).items():
        row = queries[query]
        tokens = bm25s.tokenize([row["text"]], stopwords="en", show_progress=False)
        numbers, _ = index.retrieve(tokens, k=min(len(ids), 200), show_progress=False)
        golden = [corpus[one] for one in relevant]
        near = [ids[at] for at in numbers[0].tolist()]
        alike = [one for one in ids if corpus[one].get("title") == golden[0].get("title") != ""]
        others = (corpus[one] for one in dict.fromkeys([*alike, *near]) if one not in relevant)
        answers = row.get("answers", ())
        apart = (one for one in others if not _holds(one["text"], answers) or one["_id"] in alike)
        shown = [*golden, *(one for one, _ in zip(apart, range(texts - len(golden)), strict=False))]
        yield _question(row["text"], shown, len(golden), answers)


def _question(query: str, shown: Sequence[Row], gold: int, answers: Sequence[str]) -> Question | None:
    """None where no gold passage has an answer: yes and no, and spellings of other editions."""
    texts = tuple(row["text"] for row in shown)
    if not any(_holds(text, answers) for text in texts[:gold]):
        return None
    titles = tuple(row.get("title", "") for row in shown)
    return Question(query, titles, texts, tuple(answers), tuple(range(gold)))


def _holds(text: str, answers: Sequence[str]) -> bool:
    return any(answer in text for answer in answers)


def _shuffled(one: Question, rng: random.Random) -> Question:
    """The passages in another order; those of a meeting stay in theirs."""
    if not one.answers:
        return one
    order = rng.sample(range(len(one.texts)), len(one.texts))
    gold = tuple(new for new, old in enumerate(order) if old in one.gold)
    titles, texts = (tuple(of[at] for at in order) for of in (one.titles, one.texts))
    return Question(one.query, titles, texts, one.answers, gold)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A question's passages with the vectors that an index would have of them."""

    texts: Sequence[str]
    question: TokenVectors
    passages: Sequence[TokenVectors]

    def similarities(self) -> list[TokenSimilarities]:
        """Of each passage's own tokens to the question's."""
        own = [one.offsets[:, 0] >= 0 for one in self.passages]
        return [
            TokenSimilarities(self.question.vectors @ one.vectors[mine].T, one.offsets[mine].astype(np.int64))
            for one, mine in zip(self.passages, own, strict=True)
        ]


class Index:
    """Encodes passages with their titles, each once."""

    def __init__(self, models: Models) -> None:
        self._encoder = TokenEncoder(models.encoder)
        self._known: dict[tuple[str, str], TokenVectors] = {}

    def of(self, one: Question) -> Indexed:
        """The question's passages with their vectors."""
        passages = list(zip(one.titles, one.texts, strict=True))
        new = sorted({key for key in passages if key not in self._known}, key=lambda key: len(key[1]))
        for start in range(0, len(new), 16):
            batch = new[start : start + 16]
            read = self._encoder.encode_passages(
                [f"{title}\n{text}" if title else text for title, text in batch]
            )
            self._known |= {key: _moved(found, key[0]) for key, found in zip(batch, read, strict=True)}
        (question,) = self._encoder.encode_queries([one.query])
        return Indexed(one.texts, question, [self._known[key] for key in passages])


def _moved(found: TokenVectors, title: str) -> TokenVectors:
    """The vectors with offsets in the text without its title; tokens of the title have negative ones."""
    before = np.int32(len(title) + 1 if title else 0)
    return TokenVectors(found.vectors, found.ids, found.offsets - before)
