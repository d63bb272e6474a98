"""How good the answers are in each mode: likelihood of the known answer, exact match, F1.

Prompts have one passage that holds the answer, at a random place among others of the same collection.
`nq/multidoc.jsonl` names the others; in other sets they are the passages most like the question by BM25.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s

from benchmarks.report import Report
from context import ContextEngine, ContextPassage, PrefixStore
from context.generation import Generation, ReadPrompt
from context.likelihood import answer_log_likelihoods
from context.modes import MODES
from context.transcript import Writing
from models.language_model import LanguageModel

QUALITY_CASES = tuple(mode for mode in MODES if mode != "structured")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class QualityOptions:
    """What is run: modes, each perhaps with options ("guard+keep=2"), and on how much."""

    cases: Sequence[str]
    queries: int
    passages: Sequence[int]
    max_tokens: int
    seed: int
    answers: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the passages it is asked of, and what may be answered."""

    question: str
    passages: tuple[ContextPassage, ...]
    answers: tuple[str, ...]


def run_quality(lm: LanguageModel, data: Path, options: QualityOptions, report: Report) -> None:
    """Adds `answer_nll` (nats a token), `f1`, `exact_match` and `contains` for every case and length."""
    for passages in options.passages:
        name = f"{data.name}@{passages}"
        found: dict[str, list[dict[str, float]]] = {case: [] for case in options.cases}
        for asked in questions(data, passages, options.queries, options.seed):
            store = PrefixStore(1 << 30)
            engine = ContextEngine(lm, store)
            for case in options.cases:
                found[case].append(_measure(engine, asked, case, options))
            store.close()
        for case, rows in found.items():
            for metric in rows[0]:
                mean = sum(row[metric] for row in rows) / len(rows)
                report.add(name, case, metric, mean, "nats/token" if metric == "answer_nll" else "")


def _measure(engine: ContextEngine, asked: Asked, case: str, options: QualityOptions) -> dict[str, float]:
    mode, *changes = case.split("+")
    named: dict[str, Any] = {}
    for change in changes:
        name, value = change.split("=")
        named[name] = int(value) if name == "keep" else float(value)
    started = engine.start(
        asked.question,
        asked.passages,
        mode=mode,  # type: ignore[arg-type]
        max_tokens=options.max_tokens,
        statistics=True,
        **named,
    )
    notes = started.notes
    prompt, _ = started.hand_over()
    found = {"answer_nll": min(answer_nll(engine.lm, prompt, answer) for answer in asked.answers)}
    if notes.entropy is not None:
        found["entropy"] = notes.entropy
    if options.answers:
        writing = Writing(max_tokens=options.max_tokens, no_repeat_ngram=engine.defaults.no_repeat_ngram)
        text = _written(Generation(engine.lm, prompt, writing))
        found["f1"] = max(f1(text, answer) for answer in asked.answers)
        found["exact_match"] = float(any(words(text) == words(answer) for answer in asked.answers))
        found["contains"] = float(any(_holds(text, answer) for answer in asked.answers))
    return found


def answer_nll(lm: LanguageModel, prompt: ReadPrompt, answer: str) -> float:
    """-log p a token of `answer` as the beginning of the reply; the prompt stays as it was."""
    log_p = answer_log_likelihoods(lm, prompt, lm.encode(answer))
    return -sum(log_p) / len(log_p)


def _written(generation: Generation) -> str:
    pieces = []
    while (piece := generation.step()) is not None:
        pieces.append(piece)
    return "".join(pieces)


def words(text: str) -> list[str]:
    """The words as SQuAD compares them: without case, articles and punctuation."""
    plain = "".join(character for character in text.lower() if character not in string.punctuation)
    return _ARTICLES.sub(" ", plain).split()


def f1(text: str, answer: str) -> float:
    """The harmonic mean of precision and recall of the words.

    >>> round(f1("It is the red house.", "red house"), 3)
    0.667
    """
    got, wanted = words(text), words(answer)
    common = sum((Counter(got) & Counter(wanted)).values())
    return 2 * common / (len(got) + len(wanted)) if common else 0.0


def _holds(text: str, answer: str) -> bool:
    return f" {' '.join(words(answer))} " in f" {' '.join(words(text))} "


# --- data ------------------------------------------------------------------------------------------------


def questions(data: Path, passages: int, count: int, seed: int) -> Iterator[Asked]:
    """A seeded sample; the passage with the answer stands at a random place."""
    corpus = {
        row["_id"]: ContextPassage(row.get("title", ""), row["text"]) for row in lines(data / "corpus.jsonl")
    }
    draw = random.Random(seed)
    listed = data / "multidoc.jsonl"
    rows = list(lines(listed)) if listed.exists() else list(_with_distractors(data, corpus, passages))
    for row in draw.sample(rows, min(count, len(rows))):
        ids = list(row["distractors"][: passages - 1])
        ids.insert(draw.randrange(len(ids) + 1), row["gold"])
        yield Asked(row["question"], tuple(corpus[one] for one in ids), tuple(row["answers"]))


def _with_distractors(
    data: Path, corpus: dict[str, ContextPassage], passages: int
) -> Iterator[dict[str, Any]]:
    """Answerable questions of the evaluation half, with the passages that BM25 finds first."""
    split = data / "qrels" / "eval_half.tsv"
    gold = dict(line.split("\t")[:2] for line in split.read_text("utf-8").splitlines()[1:])
    ids = list(corpus)
    index = bm25s.BM25()
    texts = [f"{one.title} {one.text}" for one in corpus.values()]
    index.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    asked = [row for row in lines(data / "queries.jsonl") if row["_id"] in gold and row.get("answers")]
    tokens = bm25s.tokenize([row["text"] for row in asked], stopwords="en", show_progress=False)
    found, _ = index.retrieve(tokens, k=min(passages, len(ids)), show_progress=False)
    for row, numbers in zip(asked, found, strict=True):
        right = gold[row["_id"]]
        others = [ids[number] for number in numbers.tolist() if ids[number] != right]
        yield {"question": row["text"], "answers": row["answers"], "gold": right, "distractors": others}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
