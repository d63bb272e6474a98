"""How well questions that the documents do not answer are recognised before an answer is generated.

Each set is asked its own questions, those of the other sets, and its unanswerable ones where it has some
(`qrels/SPLIT_unanswerable.tsv`: about the same article, but the answer is not there).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np

from api.query.evidence import Evidence, weigh
from base.text.terms import terms_of
from benchmarks.report import Report
from evaluation.beir import judgments, rows, split_files
from models import Models, load_profile
from models.device import use_available_cores
from retrieval.tokens import TokenEncoder
from retrieval.types import TokenVectors

_PASSAGES = 3


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, default=Path("data"), help="where checksums are kept")
    parser.add_argument("--profile", default="small", help="whose encoder is used (%(default)s)")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds the share of questions that are tried, and the area under the curve against the set's own."""
    use_available_cores()
    encoder = TokenEncoder(Models(load_profile(options.profile), options.models, device="cpu").encoder)
    count = options.queries or 120
    sets = [Corpus.read(folder, encoder) for folder in options.data]
    own = {one.name: list(one.questions(one.split(options.split), count, options.seed)) for one in sets}
    for one in sets:
        asked = {"its own": own[one.name]}
        asked |= {f"of {name}": [(text, "") for text, _ in own[name]] for name in own if name != one.name}
        asked["unanswerable"] = list(
            one.questions(f"{one.split(options.split)}_unanswerable", count, options.seed)
        )
        found = {
            case: [one.evidence(*question) for question in questions]
            for case, questions in asked.items()
            if questions
        }
        for case, weighed in found.items():
            report.add(one.name, case, "questions", len(weighed))
            report.add(one.name, case, "tried", float(np.mean([row.supported for row in weighed])))
            for name in ("similarity", "coverage") if case != "its own" else ():
                report.add(one.name, case, f"auc_{name}", _auc(found["its own"], weighed, name))


@dataclass(frozen=True, slots=True)
class Corpus:
    """One set of documents, with the statistics for weighing evidence."""

    name: str
    folder: Path
    texts: dict[str, str]
    index: bm25s.BM25
    frequency: dict[str, int]
    encoder: TokenEncoder
    vectors: dict[str, TokenVectors]

    @classmethod
    def read(cls, folder: Path, encoder: TokenEncoder) -> Corpus:
        """Reads `corpus.jsonl`; passages are encoded when they are first needed."""
        texts = {row["_id"]: row["text"] for row in rows(folder / "corpus.jsonl") if row["text"].strip()}
        frequency: dict[str, int] = {}
        for text in texts.values():
            for term in set(terms_of(text)):
                frequency[term] = frequency.get(term, 0) + 1
        index = bm25s.BM25()
        index.index(_tokens(list(texts.values())), show_progress=False)
        return cls(folder.name, folder, texts, index, frequency, encoder, {})

    def split(self, wanted: str | None) -> str:
        """The split of this name, or the evaluation half, or what there is."""
        there = split_files(self.folder)
        return next(name for name in (wanted, "eval_half", "dev", *there) if name in there)

    def questions(self, split: str, count: int, seed: int) -> Iterator[tuple[str, str]]:
        """A seeded sample of a split's questions, each with the passage it is about."""
        file = self.folder / "qrels" / f"{split}.tsv"
        if not file.exists():
            return
        about = {query: list(documents)[-1] for query, documents in judgments(file).items()}
        asked = [row for row in rows(self.folder / "queries.jsonl") if about.get(row["_id"]) in self.texts]
        for row in random.Random(seed).sample(asked, min(count, len(asked))):
            yield row["text"], about[row["_id"]]

    def evidence(self, question: str, about: str) -> Evidence:
        """What the service would weigh with the passage `about`, if there is one, and the best others."""
        found, _ = self.index.retrieve(_tokens([question]), k=_PASSAGES, show_progress=False)
        ids = list(self.texts)
        others = [ids[at] for at in found[0].tolist() if ids[at] != about]
        passages = ([about] if about else []) + others[: _PASSAGES - bool(about)]
        query = self.encoder.encode_queries([question])[0].vectors
        return weigh(
            question,
            [self.texts[one] for one in passages],
            similarities=[float((query @ self._of(one).vectors.T).max(axis=1).mean()) for one in passages],
            frequency=lambda term: self.frequency.get(term, 0),
            total=len(self.texts),
        )

    def _of(self, passage: str) -> TokenVectors:
        if passage not in self.vectors:
            self.vectors[passage] = self.encoder.encode_passages([self.texts[passage]])[0]
        return self.vectors[passage]


def _tokens(texts: Sequence[str]) -> bm25s.tokenization.Tokenized:
    return bm25s.tokenize(list(texts), stopwords="en", show_progress=False)


def _auc(own: Sequence[Evidence], others: Sequence[Evidence], name: str) -> float:
    """The chance that a question of the set has more evidence than another one. A tie counts half."""
    good, bad = (np.array([getattr(row, name) for row in rows]) for rows in (own, others))
    above = (good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2
    return float(above)
