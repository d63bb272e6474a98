from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from models import Models
from models.networks.language_model import LanguageModel
from retrieval.errors import IndexMismatch
from retrieval.ngrams import InvalidNgramOption, LanguageVocabulary, NgramHits, NgramIndex, search_ngrams
from retrieval.ngrams.prompt import writer
from tests.support.ngram_corpora import PASSAGES, build

QUESTION = "Who became the first ruler of Normandy?"


def segments(vocabulary: LanguageVocabulary, cuts: Sequence[int] = ()) -> tuple[list[NgramIndex], list[int]]:
    edges = [0, *cuts, len(PASSAGES)]
    parts = [PASSAGES[a:b] for a, b in pairwise(edges)]
    return [build(vocabulary.tokenize(part), vocabulary.size) for part in parts], edges[:-1]


@pytest.fixture
def search(tiny_lm: LanguageModel, vocabulary: LanguageVocabulary) -> Any:
    def run(query: str = QUESTION, *, cuts: Sequence[int] = (), **options: Any) -> NgramHits:
        indexes, bases = segments(vocabulary, cuts)
        settings = {"limit": 10, "beams": 4, "length": 5} | options
        return search_ngrams(tiny_lm, vocabulary, indexes, bases, query, **settings)

    return run


def flat(hits: NgramHits) -> list[tuple[int, float]]:
    return list(zip(hits.hits.numbers.tolist(), hits.hits.scores.tolist(), strict=True))


def test_the_questions_words_find_the_passage(search: Any) -> None:
    found = search(beams=0)
    assert found.hits.numbers[0] == 1
    texts = [match.text for match in found.matches(1)]
    assert {"who became", "of Normandy"} <= set(texts)
    assert found.matches(99) == []


PARTS = [
    f"The {name} PPR-{number}\u00a0has {size},500 co\u00adpies."
    for number, name, size in [
        (9087, "valve", 31),
        (1044, "pump", 12),
        (1777, "seal", 14),
        (9078, "cover", 16),
        (1190, "plate", 18),
    ]
]


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("PPR9087", "PPR-9087"),
        ("ppr 9087", "PPR-9087"),
        ("ＰＰＲ－９０８７", "PPR-9087"),
        ("31500", "31,500"),
        ("31 500 copies", "co\u00adpies"),
    ],
)
def test_an_identifier_is_found_and_cited_as_the_passage_has_it(
    tiny_lm: LanguageModel, vocabulary: LanguageVocabulary, question: str, written: str
) -> None:
    texts = [*PARTS, *(f"Nothing of that kind is here, number {one}." for one in range(40))]
    index = build(vocabulary.tokenize(texts), vocabulary.size)
    found = search_ngrams(tiny_lm, vocabulary, [index], [0], question, limit=3, beams=0)
    assert found.hits.numbers[0] == 0
    cited = [PARTS[0][match.start : match.end] for match in found.matches(0)]
    assert any(written in one for one in cited), cited


def test_matches_cite_the_text_and_add_up_to_the_score(search: Any, tiny_lm: LanguageModel) -> None:
    for question in (QUESTION, "Where does the Rhine flow, by the café “Lorelei”?"):
        found = search(question)
        assert len(found.hits)
        for number, score in flat(found):
            matches = found.matches(number)
            assert sum(match.weight for match in matches) == pytest.approx(score, rel=1e-5)
            assert [m.weight for m in matches] == sorted((m.weight for m in matches), reverse=True)
            for match in matches:
                cited = PASSAGES[number][match.start : match.end]
                if "\ufffd" not in match.text:
                    assert " ".join(cited.split()) == match.text
            spans = sorted((match.start, match.end) for match in matches)
            assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_results_do_not_depend_on_segments_or_on_earlier_queries(search: Any) -> None:
    whole = search()
    split = search(cuts=(1, 1, 3))
    assert flat(whole) == flat(split) == flat(search())
    assert [whole.matches(n) for n, _ in flat(whole)] == [split.matches(n) for n, _ in flat(whole)]


def test_hits_are_ordered_and_limited(search: Any) -> None:
    full = flat(search("the a of in Normandy prime Rhine theory"))
    assert len(full) > 2
    assert full == sorted(full, key=lambda hit: (-hit[1], hit[0]))
    assert flat(search("the a of in Normandy prime Rhine theory", limit=2)) == full[:2]
    assert flat(search(limit=0)) == []


@pytest.mark.parametrize("cuts", [(), (2,)])
def test_passages_that_are_not_allowed_are_never_hit(search: Any, cuts: tuple[int, ...]) -> None:
    edges = [0, *cuts, len(PASSAGES)]
    for live in range(5):
        bits = np.arange(len(PASSAGES)) == live
        allowed = [bits[a:b] for a, b in pairwise(edges)]
        found = search("Rollo of Normandy, the prime number, Rhine theory", cuts=cuts, allowed=allowed)
        assert set(found.hits.numbers.tolist()) == {live}
    assert flat(search(cuts=cuts, allowed=[part & False for part in allowed])) == []


def test_each_option_matters(search: Any) -> None:
    base = flat(search(query_keys=False))
    assert base
    assert flat(search(query_keys=False, beams=1)) != base
    assert flat(search(query_keys=False, length=1)) != base
    assert flat(search(query_keys=False, beams=0)) == []
    keys = flat(search(beams=0))
    assert flat(search()) != base
    assert flat(search()) != keys


def test_no_model_call_without_beams(
    search: Any, tiny_lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model was called")

    monkeypatch.setattr(tiny_lm.model, "forward", refuse)
    assert flat(search(beams=0))
    assert flat(search("", beams=4)) == []


def test_calls_of_the_model(search: Any, tiny_lm: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    writer(tiny_lm)
    calls: list[tuple[int, ...]] = []
    real = tiny_lm.model.forward

    def count(*args: Any, **kwargs: Any) -> Any:
        calls.append(tuple(kwargs["input_ids"].shape))
        return real(*args, **kwargs)

    monkeypatch.setattr(tiny_lm.model, "forward", count)
    search(beams=3, length=6)
    # One for the question, one for each step but the last; the examples before it are not read again.
    assert len(calls) == 6
    assert calls[0][1] < 60
    assert all(shape[0] == 1 and shape[1] <= 3 for shape in calls[1:])


@pytest.mark.parametrize("query", ["", "  \n", "?", "x" * 1_000_000, "ä " * 500_000, "\ud800 😀\r\n", "{}%s"])
def test_odd_queries(search: Any, query: str) -> None:
    found = search(query)
    assert np.isfinite(found.hits.scores).all()


@pytest.mark.parametrize("options", [{"limit": -1}, {"beams": -1}, {"length": 0}])
def test_options_out_of_range_are_refused(search: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidNgramOption) as caught:
        search(**options)
    assert caught.value.option in options


def test_no_segments_and_empty_segments(tiny_lm: LanguageModel, vocabulary: LanguageVocabulary) -> None:
    empty = build(vocabulary.tokenize(["", ""]), vocabulary.size)
    for indexes, bases in (([], []), ([empty], [0])):
        assert len(search_ngrams(tiny_lm, vocabulary, indexes, bases, QUESTION, limit=5).hits) == 0


def test_an_index_of_another_vocabulary_is_refused(
    tiny_lm: LanguageModel, vocabulary: LanguageVocabulary
) -> None:
    with pytest.raises(IndexMismatch):
        search_ngrams(tiny_lm, vocabulary, [build([], 7)], [0], QUESTION, limit=5)


@pytest.mark.model
def test_the_real_model_finds_what_the_question_names(small_models: Models) -> None:
    lm = small_models.lm
    words = LanguageVocabulary(lm)
    index = build(words.tokenize(PASSAGES), words.size)
    found = search_ngrams(lm, words, [index], [0], QUESTION, limit=5, beams=5, length=6)
    assert found.hits.numbers[0] == 1
    for match in found.matches(1):
        assert PASSAGES[1][match.start : match.end] == match.text
    written = search_ngrams(lm, words, [index], [0], QUESTION, limit=5, beams=5, length=6, query_keys=False)
    assert len(written.hits)
