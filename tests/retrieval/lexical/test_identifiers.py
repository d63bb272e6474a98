"""Words find identifiers in any spelling, also beside segments that an earlier version wrote."""

import json
import random

import numpy as np
import pytest

from base.text import earlier_terms
from base.text.terms import terms_of
from retrieval.lexical import Bm25, Terms
from retrieval.lexical.analysis import CURRENT
from tests.retrieval.lexical.test_lexical import build

PATTERNS = ["{a}-{n}", "{a}{n}", "{a} {n}", "{a}-{n}-{b}", "{a}/{n}{b}", "{a}_{n}", "{n}-{a}"]
NAMES = ["Check valve", "Ball valve", "Gate valve", "Float switch", "Pump seal"]
SPELLINGS = {
    "as written": lambda number: number,
    "without signs": lambda number: "".join(filter(str.isalnum, number)),
    "with spaces": lambda number: "".join(one if one.isalnum() else " " for one in number),
    "in small letters": str.lower,
    "in full width": lambda number: number.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    "with other hyphens": lambda number: number.replace("-", "‑"),
    "with underscores": lambda number: number.replace("-", "_"),
    "with unseen characters": lambda number: "\u200b".join(number),
}


def catalogue(count=700):
    random_ = random.Random(5)
    families = ["PPR", "RTX", "VX", "QAB", "HKL", "TSM"]
    rows = {}
    while len(rows) < count:
        pattern = PATTERNS[len(rows) % len(PATTERNS)]
        number = pattern.format(
            a=random_.choice(families), n=random_.randint(1000, 9999), b=random_.choice("BCDEFG")
        )
        plain = "".join(filter(str.isalnum, number)).lower()
        rows.setdefault(plain, number)
    return [
        f"sku: {number}; name: {NAMES[at % 5]} {at % 40 + 5} mm; price: {at % 90 + 5}.{at % 10}0; stock: {at % 17}"
        for at, number in enumerate(rows.values())
    ], list(rows.values())


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    texts, numbers = catalogue()
    return Bm25([build(tmp_path_factory.mktemp("parts"), texts)]), numbers


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_part_number_is_first_in_any_spelling(parts, spell):
    index, numbers = parts
    for at in range(0, len(numbers), 13):
        question = f"What is the price of {spell(numbers[at])}?"
        assert index.search(question, limit=1, allowed=None).numbers.tolist() == [at], question


def earlier(path, texts):
    """Terms as earlier versions wrote them: the words alone, by the name of their analysis."""
    path.mkdir()
    words = [earlier_terms.terms_of(text) for text in texts]
    vocabulary = sorted({word for one in words for word in one})
    distinct = [sorted(set(one)) for one in words]
    arrays = {
        "terms": np.array([vocabulary.index(word) for one in distinct for word in one], np.int32),
        "counts": np.array(
            [all_.count(word) for all_, one in zip(words, distinct, strict=True) for word in one], np.int32
        ),
        "starts": np.cumsum([0, *map(len, distinct)]),
        "lengths": np.array(list(map(len, words)), np.int32),
    }
    for name, array in arrays.items():
        np.save(path / f"{name}.npy", array)
    header = {"format": 1, "analysis": earlier_terms.NAME, "vocabulary": vocabulary}
    (path / "terms.json").write_text(json.dumps(header))
    return Terms.open(path)


TEXTS = ["PPR-9087 costs 1,000 euros.", "The moon pulls the sea.", "PPR-1044 is a valve of 10 mm."]


def test_segments_of_an_earlier_analysis_are_asked_for_its_terms(tmp_path):
    old, new = earlier(tmp_path / "old", TEXTS), build(tmp_path / "new", TEXTS)
    assert (old.analysis, new.analysis) == (earlier_terms.NAME, CURRENT)
    alone = Bm25([old])
    assert alone.search("PPR9087", limit=9, allowed=None).numbers.tolist() == []
    assert alone.search("PPR-9087", limit=1, allowed=None).numbers.tolist() == [0]
    # "1,000" is "1" and "000" there.
    assert alone.search("1,000", limit=9, allowed=None).numbers.tolist() == [0]

    both = Bm25([old, new])
    assert both.search("PPR9087", limit=1, allowed=None).numbers.tolist() == [3]
    assert set(both.search("1,000", limit=9, allowed=None).numbers.tolist()) == {0, 3}
    for question in ("the moon", "PPR-9087", "10mm valve", "sea sea"):
        hits = both.search(question, limit=9, allowed=None)
        scores = dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))
        single = both.scores(question, np.arange(6))
        assert single.tolist() == [scores.get(number, 0.0) for number in range(6)]
        assert max(scores.values(), default=0.0) <= both.ceiling(question)
        some = np.array([True, False, True, False, True, True])
        allowed = both.search(question, limit=9, allowed=some)
        assert set(allowed.numbers.tolist()) == {number for number in scores if some[number]}
        assert both.frequency("moon", allowed=None) == 2


def test_spellings_that_no_passage_has_do_not_raise_the_ceiling(tmp_path):
    index = Bm25([build(tmp_path, TEXTS)])
    assert index.ceiling("moon 1990") == pytest.approx(index.ceiling("moon") + index.ceiling("1990"))
    assert index.ceiling("PPR-9087") > index.ceiling("PPR") + index.ceiling("9087")


def test_the_words_of_a_hyphenated_word_share_their_weight_with_it(tmp_path):
    index = Bm25([build(tmp_path, ["by e-mail", "by email", "by mail", "the letter e"])])
    assert set(index.search("e-mail", limit=9, allowed=None).numbers.tolist()) == {0, 1, 2, 3}
    assert index.search("e-mail", limit=1, allowed=None).numbers.tolist() == [0]
    assert set(index.search("email", limit=9, allowed=None).numbers.tolist()) == {0, 1}
    apart = sum(index.ceiling(word) for word in ("e", "mail", "email"))
    assert index.ceiling("e-mail") == pytest.approx(apart * 2 / 3)


def test_lengths_count_words_alone(tmp_path):
    terms = build(tmp_path, TEXTS)
    assert terms.lengths.tolist() == [len(terms_of(text)) for text in TEXTS]
    assert terms.counts.sum() > terms.lengths.sum()
