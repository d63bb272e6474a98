from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.methods import InvalidOption, UnknownMethod
from base.text.words import words
from compress import CATALOGUE, InvalidBudget, Loose, TokenSimilarities, shorten, without_question
from tests.support.tiny.language_model import load_tiny


@cache
def shared_folder():
    return Path(tempfile.mkdtemp(prefix="excerpta-heads-"))


@cache
def shared_lm():
    return load_tiny(shared_folder())


class Made:
    """A method of the catalogue with its options."""

    def __init__(self, method, classifier, count, **options):
        self.count = count
        networks = SimpleNamespace(lm=shared_lm(), token_classifier=classifier, calibrations=shared_folder())
        self.options = CATALOGUE.resolve({"method": method, **options})
        self.scorer = CATALOGUE[method].make(networks)

    def compress(self, query, texts, *, target_tokens=None):
        return shorten(self.scorer, query, texts, self.options, self.count, target_tokens=target_tokens)


class Indexed(Loose):
    """Texts with random vectors for their words, as an index would lend them."""

    def similarities(self):
        rng = np.random.default_rng(3)
        offsets = [words(text).astype(np.int64) for text in self.texts]
        return [TokenSimilarities(rng.random((5, len(span)), np.float32), span) for span in offsets]


def lexical(count, **options):
    return Made("lexical", None, count, **options)


def classified(classifier, count, **options):
    return Made("token-classifier", classifier, count, **options)


METHODS = list(CATALOGUE)
BY_LM = ("evaluator-heads", "perplexity")
SENTENCES = [
    "The committee met on 12 May 2021 in Oslo, and approved the budget of $3.5 million for rail.",
    "Nobody had expected it! Its members, some of them new, voted 7 to 2.\n\nThe mayor thanked them.",
    "Rail traffic had fallen for years; see https://rail.example/report-2020 for the figures.",
    "東京は2020年に大きな大会を開く予定だった。👩‍👩‍👧‍👦",
]
PIECES = [*"abc12.?, \n\r\t東é", "rail ", "👍🏽", "Oslo "]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=80).map("".join), max_size=5)
fixtures_are_stateless = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=METHODS)
def compressor(request, classifier, count_tokens):
    return Made(request.param, classifier, count_tokens)


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


@pytest.mark.parametrize("method", METHODS)
def test_protected_words_survive(classifier, count_tokens, method):
    target = sum(count_tokens(SENTENCES)) // 2
    options = {"digits": True, "keep": ["mayor thanked", "Nobody"]}
    found = Made(method, classifier, count_tokens, **options).compress("", SENTENCES, target_tokens=target)
    kept = " ".join(item.text for item in found)
    for piece in (
        "12",
        "2021",
        "$3.5",
        "7",
        "https://rail.example/report-2020",
        "mayor thanked",
        "Nobody",
        "2020",
    ):
        assert piece in kept


def test_protection_yields_to_the_budget(classifier, count_tokens):
    everything = sorted({word for text in SENTENCES for word in re.findall(r"\w+", text)})
    found = classified(classifier, count_tokens, keep=everything).compress("", SENTENCES, target_tokens=5)
    assert 0 < sum(item.tokens_after for item in found) <= 5


def test_sentence_ends_never_follow_each_other_or_nothing(classifier, count_tokens):
    text = "One short sentence here. Another one there. " * 20
    for target in range(0, 60, 7):
        item = classified(classifier, count_tokens).compress("", [text], target_tokens=target)[0]
        assert not re.search(r"\.\s*\.|^\s*\.", item.text)


def test_sentence_ends_may_follow_each_other_where_that_is_asked_for(classifier, count_tokens):
    text = "One short sentence here. Another one there. " * 20
    found = classified(classifier, count_tokens, drop_consecutive=False)
    assert re.search(r"\.\s*\.", found.compress("", [text], target_tokens=40)[0].text)


def test_the_classifier_decides(classifier, count_tokens):
    class Opposite:
        def keep_probabilities(self, texts):
            found = classifier.keep_probabilities(texts)
            return [SimpleNamespace(probabilities=1 - f.probabilities, offsets=f.offsets) for f in found]

    target = sum(count_tokens(SENTENCES)) // 3
    one = classified(classifier, count_tokens, keep=[], digits=False)
    other = classified(Opposite(), count_tokens, keep=[], digits=False)
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
        compressor = classified(classifier, count_tokens, context_rate=context_rate)
        return [item.kept != () for item in compressor.compress("", texts, target_tokens=target)]

    assert kept(1.0) == [True, True, True]
    assert kept(0.1) == [index == int(np.argmax(means)) for index in range(3)]
    assert 1 <= sum(kept(None)) < 3
    with pytest.raises(InvalidOption, match="context_rate"):
        classified(classifier, count_tokens, context_rate=0)


def test_lexical_keeps_what_stands_near_the_question(count_tokens):
    found = lexical(count_tokens, window=5).compress("Whom did the mayor thank?", SENTENCES, target_tokens=12)
    assert "mayor thanked them" in found[1].text


def test_rare_words_of_the_question_weigh_more(count_tokens):
    texts = ["the the the the the cat sat there today", "the dog saw the bird in the tree over the hill"]
    found = lexical(count_tokens, window=1).compress("the cat", texts, target_tokens=1)
    assert [item.text for item in found] == ["cat", ""]


def test_the_window_matters(count_tokens):
    found = {
        window: lexical(count_tokens, window=window).compress("mayor?", SENTENCES, target_tokens=20)
        for window in (1, 15)
    }
    assert found[1] != found[15]
    with pytest.raises(InvalidOption, match="odd"):
        lexical(count_tokens, window=4)


def test_without_a_question_each_text_keeps_its_beginning(count_tokens):
    found = lexical(count_tokens).compress("", SENTENCES[:3], target_tokens=18)
    assert all(item.kept and item.kept[0][0] == 0 for item in found)


@pytest.mark.parametrize(
    "method", sorted({*METHODS} - {"evaluator-heads", "sentence-clusters"})
)  # read side by side
def test_equal_texts_are_compressed_alike(classifier, count_tokens, method):
    compressor = Made(method, classifier, count_tokens)
    found = compressor.compress("rail", [SENTENCES[0]] * 3, target_tokens=2 * count_tokens(SENTENCES[:1])[0])
    assert max(i.tokens_after for i in found) - min(i.tokens_after for i in found) <= 8


@pytest.mark.long
def test_an_unbroken_megabyte_is_legal(compressor):
    found = compressor.compress("q", ["x" * 10**6, "two words"], target_tokens=5)
    assert found[0].text == ""
    assert found[1].text.startswith("two")


def test_compressors_by_name():
    assert CATALOGUE.default == "lexical"
    with pytest.raises(UnknownMethod, match="auto, lexical, token-classifier, ") as caught:
        CATALOGUE.resolve({"method": "magic"})
    assert caught.value.facts() == {"stage": "compress", "method": "magic", "allowed": ["auto", *METHODS]}


def test_without_a_question_a_method_that_reads_none_is_chosen():
    assert without_question({"lm", "token_classifier"}) == "token-classifier"
    assert without_question({"lm"}) == "lexical"


def test_a_blank_question_counts_for_nothing(compressor):
    plain, blank = (compressor.compress(query, SENTENCES, target_tokens=30) for query in ("", " \r\n"))
    assert plain == blank


@pytest.mark.parametrize("method", METHODS)
def test_only_methods_that_read_a_question_depend_on_it(classifier, count_tokens, method):
    made = Made(method, classifier, count_tokens)
    one, other = (
        made.compress(query, SENTENCES, target_tokens=30)
        for query in ("Where is the committee?", "Who was thanked by the mayor?")
    )
    assert (one != other) == made.options.reads_question


@pytest.mark.parametrize("method", METHODS)
def test_defaults_are_within_their_own_bounds(method):
    defaults = CATALOGUE.resolve({"method": method})
    assert CATALOGUE.resolve(msgspec.to_builtins(defaults)) == defaults


@pytest.mark.parametrize(
    "method", [pytest.param(one, marks=[pytest.mark.long] if one in BY_LM else []) for one in METHODS]
)
def test_a_thousand_texts_share_one_budget(classifier, count_tokens, method):
    texts = [f"{SENTENCES[at % 3]} number {at}" for at in range(1000)]
    found = Made(method, classifier, count_tokens).compress("rail in Oslo", texts, target_tokens=500)
    assert len(found) == 1000
    assert 0.8 * 500 <= sum(item.tokens_after for item in found) <= 500


@pytest.mark.parametrize("method", METHODS)
def test_the_same_call_gives_the_same_texts(classifier, count_tokens, method):
    one, other = (
        Made(method, classifier, count_tokens).compress("rail", SENTENCES, target_tokens=30) for _ in range(2)
    )
    assert one == other


OTHERS = {
    "target_tokens": 20,
    "keep": ["fallen", "figures"],
    "digits": None,
    "window": 1,
    "context_rate": 0.1,
    "word": "first",
    "drop_consecutive": False,
    "structure": "words",
    "threshold": "text",
    "text_weight": 0,
    "sentence_weight": 0,
    "heads": 1,
    "clusters": 1,
}


@pytest.mark.parametrize(
    ("method", "option"),
    [(method, option) for method in METHODS for option in CATALOGUE[method].fields if option != "when"],
)
def test_every_option_matters(classifier, count_tokens, method, option):
    base = {"target_tokens": 40, "keep": [".", "!"]}
    if option != "digits":
        base["digits"] = False
    usual = Made(method, classifier, count_tokens, **base)
    value = not usual.options.digits if option == "digits" else OTHERS[option]
    if option.endswith("_weight") and not getattr(usual.options, option):
        value = 50
    changed = Made(method, classifier, count_tokens, **(base | {option: value}))
    lent = Indexed if option.endswith("_weight") else Loose
    asked = ("Who was thanked by the mayor?", lent(SENTENCES))
    targets = [None] if option == "target_tokens" else range(10, 70, 4)
    assert any(
        usual.compress(*asked, target_tokens=target) != changed.compress(*asked, target_tokens=target)
        for target in targets
    )


@pytest.mark.parametrize("method", METHODS)
def test_unknown_options_are_refused(method):
    with pytest.raises(InvalidOption) as caught:
        CATALOGUE.resolve({"method": method, "rate": 0.5})
    assert caught.value.allowed == list(CATALOGUE[method].fields)
