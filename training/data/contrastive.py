"""Training examples from sets in BEIR layout: questions of one passage, and passages that only look right."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.beir import relevant_documents, rows, split_file, split_files
from retrieval.lexical import Bm25, Terms

_DEEPEST = 20  # BM25 ranks among which a wrong passage is looked for


@dataclass(frozen=True, slots=True)
class Example:
    """A passage, the questions that it answers, for each the passages most like it."""

    passage: int
    questions: tuple[str, ...]
    negatives: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Texts by number, the examples over them, and for each question the numbers of all its passages."""

    texts: list[str]
    examples: list[Example]
    relevant: Mapping[str, frozenset[int]]


def read_training_set(sources: Sequence[tuple[Path, str]]) -> TrainingSet:
    """Reads (directory, split) pairs as one set.

    Passages judged in another split of a set are left out altogether, so that nothing that is evaluated
    is seen, not even as a wrong answer.
    """
    texts: list[str] = []
    examples: list[Example] = []
    relevant: dict[str, frozenset[int]] = {}
    for directory, split in sources:
        questions = {row["_id"]: row["text"] for row in rows(directory / "queries.jsonl")}
        judged = relevant_documents(split_file(directory, split))
        judged_elsewhere = held_out(directory, split)
        kept = [row for row in rows(directory / "corpus.jsonl") if row["_id"] not in judged_elsewhere]
        base = len(texts)
        numbers = {row["_id"]: base + at for at, row in enumerate(kept)}
        texts += [f"{row['title']}\n{row['text']}" if row.get("title") else row["text"] for row in kept]
        found = _examples(questions, judged, numbers, texts[base:], base)
        examples += found[0]
        relevant |= found[1]
    return TrainingSet(texts, examples, relevant)


def _examples(
    questions: Mapping[str, str],
    judged: Mapping[str, list[str]],
    numbers: Mapping[str, int],
    texts: Sequence[str],
    base: int,
) -> tuple[list[Example], dict[str, frozenset[int]]]:
    search = bm25_over(texts)
    asked: dict[int, list[tuple[str, tuple[int, ...]]]] = {}
    relevant: dict[str, frozenset[int]] = {}
    for query, passages in judged.items():
        right = frozenset(numbers[passage] for passage in passages if passage in numbers)
        if not right or query not in questions:
            continue
        text = questions[query]
        relevant[text] = relevant.get(text, frozenset()) | right
        hits = search.search(text, limit=_DEEPEST, allowed=None).numbers + base
        wrong = tuple(int(hit) for hit in hits if int(hit) not in right)
        for passage in right:
            asked.setdefault(passage, []).append((text, wrong))
    examples = [
        Example(passage, tuple(text for text, _ in pairs), tuple(wrong for _, wrong in pairs))
        for passage, pairs in asked.items()
    ]
    return examples, relevant


def batches(
    data: TrainingSet, *, passages: int, questions: int, depth: int, rng: random.Random
) -> Iterator[tuple[list[int], list[tuple[str, int]]]]:
    """All examples once, in random order: numbers of passages, and (question, its passage's place) pairs.

    Each batch has `passages` examples, at most `questions` questions of each, and for each example one
    passage of the `depth` that BM25 takes for an answer to one of its questions.
    """
    order = rng.sample(range(len(data.examples)), len(data.examples))
    for first in range(0, len(order), passages):
        chosen = [data.examples[at] for at in order[first : first + passages]]
        places = {example.passage: at for at, example in enumerate(chosen)}
        asked: list[tuple[str, int]] = []
        for example in chosen:
            picked = rng.sample(range(len(example.questions)), min(questions, len(example.questions)))
            asked += [(example.questions[at], places[example.passage]) for at in picked]
            wrong = example.negatives[picked[0]][:depth]
            if wrong:
                places.setdefault(rng.choice(wrong), len(places))
        yield list(places), asked


def bm25_over(texts: Sequence[str]) -> Bm25:
    """A search for words over the texts, which it numbers as they stand."""
    with tempfile.TemporaryDirectory() as directory:
        Terms.build(Path(directory), texts)
        return Bm25([Terms.open(Path(directory))])


def held_out(directory: Path, split: str) -> frozenset[str]:
    """Passages that are judged in another split and not in this one."""
    judged = {name: relevant_documents(file) for name, file in split_files(directory).items()}
    seen = {name: {one for found in answers.values() for one in found} for name, answers in judged.items()}
    return frozenset().union(*seen.values()) - seen[split]
