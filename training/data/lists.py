"""Lists of passages with the questions that one of them answers, made from sets in BEIR layout."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.text.sentences import sentences
from evaluation.beir import relevant_documents, rows, split_file
from training.data.contrastive import bm25_over, held_out


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the passage that answers it, and passages that only look right, the likeliest first.

    `answers` are what the passage says, in lower case; none where the set has none.
    """

    question: str
    right: int
    wrong: tuple[int, ...]
    barred: frozenset[int]
    """Passages that may answer it too: they are never shown beside the right one."""
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageList:
    """Passages in the order shown, and the questions over them with the place of the right one."""

    passages: tuple[str, ...]
    asked: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ListSet:
    """Short passages, the questions over them, and by passage the questions that it answers."""

    name: str
    passages: list[str]
    asked: list[Asked]
    by_passage: Mapping[int, list[int]]


def read_split(given: str, *, words: int, depth: int) -> ListSet:
    """`read_lists` of a command line's DIR:SPLIT. Raises SystemExit for what is none."""
    directory, _, split = given.rpartition(":")
    if not directory:
        raise SystemExit(f"--data and --held take DIR:SPLIT, such as DATA/nq:train_half, not {given!r}")
    return read_lists(Path(directory), split, words=words, depth=depth)


def read_lists(directory: Path, split: str, *, words: int, depth: int) -> ListSet:
    """Cuts the documents of one set into passages of at most `words` words and asks the split's questions.

    The right passage is the one of a judged document that says an answer, or, where the set has no answers,
    the one that BM25 finds first. Documents that are judged in another split alone are left out.
    """
    judged_elsewhere = held_out(directory, split)
    pieces: list[str] = []
    of_document: dict[str, list[int]] = {}
    for row in rows(directory / "corpus.jsonl"):
        if row["_id"] in judged_elsewhere or not row["text"].strip():
            continue
        made = list(cut(row["text"], words))
        of_document[row["_id"]] = list(range(len(pieces), len(pieces) + len(made)))
        pieces += [f"{row['title']}: {piece}" if row.get("title") else piece for piece in made]
    questions = {row["_id"]: row for row in rows(directory / "queries.jsonl")}
    asked = list(_asked(questions, split_file(directory, split), of_document, pieces, depth))
    by_passage: dict[int, list[int]] = {}
    for number, one in enumerate(asked):
        by_passage.setdefault(one.right, []).append(number)
    return ListSet(directory.name, pieces, asked, by_passage)


def cut(text: str, words: int) -> Iterator[str]:
    """Whole sentences together up to `words` words; a longer sentence is cut at them.

    >>> list(cut("One two three. Four five. Six.", 5))
    ['One two three. Four five.', 'Six.']
    """
    held: list[str] = []
    for sentence in sentences(text):
        own = text[sentence.start : sentence.end].split()
        if held and len(held) + len(own) > words:
            yield " ".join(held)
            held = []
        held += own[:words]
    if held:
        yield " ".join(held)


def shown(
    data: ListSet, number: int, *, size: int, most: int, rng: random.Random, neighbours: bool = True
) -> PassageList:
    """A list of `size` passages around one question, in random order, with up to `most` questions over it.

    With `neighbours`, wrong passages that answer other questions are drawn first.
    """
    first = data.asked[number]
    wrong = [one for one in first.wrong if one not in first.barred]
    rng.shuffle(wrong)
    if neighbours:
        wrong.sort(key=lambda one: one not in data.by_passage)
    chosen = [first.right, *wrong[: size - 1]]
    if len(chosen) < size:
        taken = first.barred.union(chosen)
        free = [one for one in range(len(data.passages)) if one not in taken]
        chosen += rng.sample(free, min(size - len(chosen), len(free)))
    rng.shuffle(chosen)
    places = {passage: at for at, passage in enumerate(chosen)}
    others = [at for passage in chosen for at in data.by_passage.get(passage, ()) if at != number]
    rng.shuffle(others)
    fit = [at for at in others if not data.asked[at].barred & places.keys()]
    picked = [first, *(data.asked[at] for at in fit[: most - 1])]
    return PassageList(
        tuple(data.passages[passage] for passage in chosen),
        tuple((one.question, places[one.right]) for one in picked),
    )


def _asked(
    questions: Mapping[str, Mapping[str, object]],
    judged: Path,
    of_document: Mapping[str, Sequence[int]],
    pieces: Sequence[str],
    depth: int,
) -> Iterator[Asked]:
    search = bm25_over(pieces)
    lowered = [piece.lower() for piece in pieces]
    for query, documents in relevant_documents(judged).items():
        row = questions.get(query)
        own = [piece for document in documents for piece in of_document.get(document, ())]
        if row is None or not own:
            continue
        question, answers = str(row["text"]), [str(one).lower() for one in _list(row.get("answers"))]
        hits = [int(hit) for hit in search.search(question, limit=100, allowed=None).numbers]
        ranks = {piece: rank for rank, piece in enumerate(hits)}
        saying = [piece for piece in own if any(answer in lowered[piece] for answer in answers)]
        right = min(saying or ([] if answers else own), key=lambda one: ranks.get(one, 1000), default=None)
        if right is None:
            continue
        barred = frozenset(
            piece
            for piece in {*hits, *own} - {right}
            if piece in own or any(answer in lowered[piece] for answer in answers)
        )
        wrong = tuple(hit for hit in hits if hit != right and hit not in barred)[:depth]
        yield Asked(question, right, wrong, barred, tuple(answers))


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
