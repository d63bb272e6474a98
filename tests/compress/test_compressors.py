from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress import (
    METHODS,
    InvalidBudget,
    LexicalCompressor,
    Protection,
    TokenClassifierCompressor,
    UnknownCompressor,
    make_compressor,
)

MAKERS = {
    "lexical": lambda classifier, count, **options: LexicalCompressor(count, **options),
    "token-classifier": TokenClassifierCompressor,
}
SENTENCES = [
    "The committee met on 12 May 2021 in Oslo, and approved the budget of $3.5 million for rail.",
    "Nobody had expected it! Its members, some of them new, voted 7 to 2.\n\nThe mayor thanked them.",
    "Rail traffic had fallen for years; see https://rail.example/report-2020 for the figures.",
    "東京は2020年に大きな大会を開く予定だった。👩‍👩‍👧‍👦",
]
PIECES = [*"abc12.?, \n\r\t東é", "rail ", "👍🏽", "Oslo "]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=80).map("".join), max_size=5)
fixtures_are_stateless = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=sorted(MAKERS))
def compressor(request, classifier, count_tokens):
    return MAKERS[request.param](classifier, count_tokens)


@fixtures_are_stateless
@given(texts=TEXTS, target=st.integers(0, 90), query=st.sampled_from(["", "rail in Oslo?"]))
def test_every_reply_is_cut_from_its_source_within_the_budget(compressor, count_tokens, texts, target, query):
    found = compressor.compress(query, texts, target_tokens=target)
    assert len(found) == len(texts)
    for text, item in zip(texts, found, strict=True):
        assert item.text == "".join(text[start:end] for start, end in item.kept)
        assert all(start < end for start, end in item.kept)
        assert all(first[1] < second[0] for first, second in zip(item.kept, item.kept[1:], strict=False))
        assert (item.tokens_before, item.tokens_after) == (
            count_tokens([text])[0],
            count_tokens([item.text])[0],
        )
    assert sum(item.tokens_after for item in found) <= target
    if sum(count_tokens(texts)) <= target:
        assert [item.text for item in found] == texts


@pytest.mark.parametrize("rate", [0.2, 0.33, 0.5, 0.8])
def test_the_budget_is_used(compressor, count_tokens, rate):
    texts = SENTENCES * 5
    target = int(rate * sum(count_tokens(texts)))
    after = sum(
        item.tokens_after for item in compressor.compress("budget for rail", texts, target_tokens=target)
    )
    assert 0.9 * target <= after <= target


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        [" \r\n"],
        ["word"],
        ["."],
        ["東京"],
        ["👩‍👩‍👧‍👦"],
        ["a\r\nb\r\nc"],
        ["x" * 1000],
        ["", "", "ab cd"],
    ],
)
@pytest.mark.parametrize("target", [0, 1, 3])
def test_tiny_and_unusual_inputs(compressor, texts, target):
    found = compressor.compress("what?", texts, target_tokens=target)
    assert len(found) == len(texts)
    assert sum(item.tokens_after for item in found) <= target


def test_a_negative_budget_is_refused(compressor):
    with pytest.raises(InvalidBudget, match="-1"):
        compressor.compress("q", ["a"], target_tokens=-1)


@pytest.mark.parametrize("method", sorted(MAKERS))
def test_protected_words_survive(classifier, count_tokens, method):
    protection = Protection(digits=True, patterns=(re.compile(r"mayor thanked"),))
    target = sum(count_tokens(SENTENCES)) // 2
    found = MAKERS[method](classifier, count_tokens, protection=protection).compress(
        "", SENTENCES, target_tokens=target
    )
    kept = " ".join(item.text for item in found)
    for piece in ("12", "2021", "$3.5", "7", "https://rail.example/report-2020", "mayor thanked", "2020"):
        assert piece in kept


def test_protection_yields_to_the_budget(classifier, count_tokens):
    protection = Protection(patterns=(re.compile(".", re.DOTALL),))
    found = TokenClassifierCompressor(classifier, count_tokens, protection=protection).compress(
        "", SENTENCES, target_tokens=5
    )
    assert 0 < sum(item.tokens_after for item in found) <= 5


def test_sentence_ends_never_follow_each_other_or_nothing(classifier, count_tokens):
    text = "One short sentence here. Another one there. " * 20
    for target in range(0, 60, 7):
        item = TokenClassifierCompressor(classifier, count_tokens).compress("", [text], target_tokens=target)[
            0
        ]
        assert not re.search(r"\.\s*\.|^\s*\.", item.text)


def test_the_classifier_decides(classifier, count_tokens):
    class Opposite:
        def keep_probabilities(self, texts):
            found = classifier.keep_probabilities(texts)
            return [SimpleNamespace(probabilities=1 - f.probabilities, offsets=f.offsets) for f in found]

    target = sum(count_tokens(SENTENCES)) // 3
    plain = Protection()
    one = TokenClassifierCompressor(classifier, count_tokens, protection=plain)
    other = TokenClassifierCompressor(Opposite(), count_tokens, protection=plain)
    kept = [
        {
            (at, *span)
            for at, item in enumerate(c.compress("", SENTENCES, target_tokens=target))
            for span in item.kept
        }
        for c in (one, other)
    ]
    assert kept[0] != kept[1]


def test_the_coarse_step_drops_whole_texts(classifier, count_tokens):
    texts = SENTENCES[:3]
    target = sum(count_tokens(texts)) // 2
    means = [found.probabilities.mean() for found in classifier.keep_probabilities(texts)]

    def kept(context_rate):
        compressor = TokenClassifierCompressor(classifier, count_tokens, context_rate=context_rate)
        return [item.kept != () for item in compressor.compress("", texts, target_tokens=target)]

    assert kept(1.0) == [True, True, True]
    assert kept(0.1) == [index == int(np.argmax(means)) for index in range(3)]
    assert 1 <= sum(kept(None)) < 3
    with pytest.raises(ValueError, match="context_rate"):
        TokenClassifierCompressor(classifier, count_tokens, context_rate=0)


def test_lexical_keeps_what_stands_near_the_question(count_tokens):
    found = LexicalCompressor(count_tokens, window=5).compress(
        "Whom did the mayor thank?", SENTENCES, target_tokens=12
    )
    assert "mayor thanked them" in found[1].text


def test_rare_words_of_the_question_weigh_more(count_tokens):
    texts = ["the the the the the cat sat there today", "the dog saw the bird in the tree over the hill"]
    found = LexicalCompressor(count_tokens, window=1).compress("the cat", texts, target_tokens=2)
    assert [item.text for item in found] == ["the cat" if found[0].tokens_after > 1 else "cat", ""]


def test_the_window_matters(count_tokens):
    found = {
        window: LexicalCompressor(count_tokens, window=window).compress("mayor?", SENTENCES, target_tokens=20)
        for window in (1, 15)
    }
    assert found[1] != found[15]
    with pytest.raises(ValueError, match="odd"):
        LexicalCompressor(count_tokens, window=4)


def test_without_a_question_each_text_keeps_its_beginning(count_tokens):
    found = LexicalCompressor(count_tokens).compress("", SENTENCES[:3], target_tokens=18)
    assert all(item.kept and item.kept[0][0] == 0 for item in found)


def test_equal_texts_are_compressed_alike(compressor, count_tokens):
    found = compressor.compress("rail", [SENTENCES[0]] * 3, target_tokens=2 * count_tokens(SENTENCES[:1])[0])
    assert max(i.tokens_after for i in found) - min(i.tokens_after for i in found) <= 6


def test_an_unbroken_megabyte_is_legal(compressor):
    found = compressor.compress("q", ["x" * 10**6, "two words"], target_tokens=5)
    assert found[0].text == ""
    assert found[1].text.startswith("two")


class Machine:
    """Stands for `Models`, and remembers what was asked for."""

    def __init__(self, classifier, count, trained=True):
        self.profile = SimpleNamespace(token_classifier="spec" if trained else None)
        self.lm = SimpleNamespace(
            tokenize=lambda texts: [SimpleNamespace(ids=range(n)) for n in count(texts)]
        )
        self._classifier = classifier
        self.loaded = False

    @property
    def token_classifier(self):
        self.loaded = True
        return self._classifier


def test_compressors_by_name(classifier, count_tokens):
    machine = Machine(classifier, count_tokens)
    assert [make_compressor(method, machine).name for method in METHODS] == list(METHODS)
    with pytest.raises(UnknownCompressor, match="auto, token-classifier, lexical") as caught:
        make_compressor("magic", machine)
    assert caught.value.facts() == {"method": "magic", "allowed": list(METHODS)}


def test_auto_goes_by_the_question_if_there_is_one(classifier, count_tokens):
    machine = Machine(classifier, count_tokens)
    auto = make_compressor("auto", machine)
    lexical = LexicalCompressor(count_tokens)
    trained = TokenClassifierCompressor(classifier, count_tokens)
    assert auto.compress("rail?", SENTENCES, target_tokens=40) == lexical.compress(
        "rail?", SENTENCES, target_tokens=40
    )
    assert not machine.loaded
    assert auto.compress(" ", SENTENCES, target_tokens=40) == trained.compress(
        "", SENTENCES, target_tokens=40
    )
    assert machine.loaded


def test_auto_without_a_classifier_in_the_profile(classifier, count_tokens):
    machine = Machine(classifier, count_tokens, trained=False)
    assert make_compressor("auto", machine).compress("", SENTENCES, target_tokens=20)
    assert not machine.loaded
