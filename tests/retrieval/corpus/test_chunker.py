import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import ExcerptaError
from retrieval.corpus import Chunker
from retrieval.corpus.pieces import BLOCK_CHARACTERS, TokenMap
from retrieval.types import Document
from tests.support.speeds import examples

WORDS = st.sampled_from(
    [
        "a",
        "word",
        "extraordinarily",
        "Dr.",
        "end.",
        "Why?",
        "so,",
        "“no”",
        "3.14",
        "我们去。",
        "👩‍👩‍👧",
        "e\u0301",
        "\u200b",
        "x" * 70,
    ]
)
GAPS = st.sampled_from(
    [" ", " ", " ", "\n", "\r\n", "\n\n", "", "\n# ", "\n\n## ", "\n- ", "\n```\n", "   \t"]
)
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=60).map(lambda parts: "".join(a + b for a, b in parts))


def split(tokenize, text, **options):
    return Chunker(tokenize, **options).split(Document("d", text))


@given(text=TEXTS, budget=st.integers(8, 40), overlap=st.integers(0, 7))
@settings(max_examples=examples(300))
def test_passages_keep_every_promise(tokenize, text, budget, overlap):
    passages = split(tokenize, text, passage_tokens=budget, overlap_tokens=overlap)
    assert passages == split(tokenize, text, passage_tokens=budget, overlap_tokens=overlap)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    covered = set()
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        assert 0 < len(tokenize([passage.text])[0].ids) <= budget
        assert len(passage.text) <= 16 * budget
        covered.update(range(passage.start, passage.end))
    missing = "".join(c for at, c in enumerate(text) if at not in covered and not c.isspace())
    assert tokenize([missing])[0].ids.size == 0
    for one, two in pairwise(passages):
        assert one.start < two.start
        assert one.end < two.end
        if two.start < one.end:
            shared = text[two.start : one.end]
            assert len(tokenize([shared])[0].ids) <= overlap
            assert one.heading == two.heading
        else:
            assert tokenize([text[one.end : two.start]])[0].ids.size == 0


def test_cuts_at_sentence_ends_and_overlaps_by_whole_sentences(tokenize):
    text = " ".join(f"Here is row {n}." for n in range(100, 120))
    passages = split(tokenize, text, passage_tokens=17, overlap_tokens=5)
    assert all(passage.text.startswith("Here") and passage.text.endswith(".") for passage in passages)
    assert passages[0].text == "Here is row 100. Here is row 101. Here is row 102."
    assert passages[1].text.startswith("Here is row 102. Here is row 103.")
    apart = split(tokenize, text, passage_tokens=17, overlap_tokens=4)
    assert all(one.end < two.start for one, two in pairwise(apart))


def test_prefers_the_end_of_a_paragraph(tokenize):
    text = "One two three four five six.\n\nSeven eight. Nine ten eleven twelve."
    passages = split(tokenize, text, passage_tokens=12, overlap_tokens=0)
    assert [passage.text for passage in passages] == text.split("\n\n")


def test_passages_stay_under_one_heading_and_know_its_path(tokenize):
    text = "Intro.\n\n# Guide\n\n## Set-up\nRun it.\n\n## Use\nAsk it."
    passages = Chunker(tokenize).split(Document("d", text, "Guide"))
    assert [(passage.heading, passage.text) for passage in passages] == [
        ("", "Intro."),
        ("Set-up", "# Guide\n\n## Set-up\nRun it."),
        ("Use", "## Use\nAsk it."),
    ]
    assert passages[1].context == "Guide > Set-up"


def test_a_heading_never_stands_alone_before_a_long_sentence(tokenize):
    text = "# Title\n" + "word " * 17 + "end."
    passages = split(tokenize, text, passage_tokens=20, overlap_tokens=0)
    assert passages[0].text.startswith("# Title\nword")
    assert [p.text for p in split(tokenize, "text\n# Last")] == ["text", "# Last"]


def test_long_sentences_are_cut_at_clauses_then_words(tokenize):
    clauses = "one two three four five six, seven eight nine ten eleven twelve thirteen"
    assert split(tokenize, clauses, passage_tokens=10, overlap_tokens=0)[0].text.endswith("six,")
    words = " ".join(["abc"] * 25)
    assert {len(p.text.split()) for p in split(tokenize, words, passage_tokens=10, overlap_tokens=0)} == {
        10,
        5,
    }


def test_one_word_longer_than_a_passage_is_cut_between_tokens(tokenize):
    passages = split(tokenize, "x" * 100_000, passage_tokens=20, overlap_tokens=5)
    assert "".join(passage.text for passage in passages) == "x" * 100_000
    assert all(passage.start % 6 == 0 or passage.start % BLOCK_CHARACTERS % 6 == 0 for passage in passages)


def test_emoji_are_not_torn(tokenize):
    family = "👩‍👩‍👧‍👦"
    passages = split(tokenize, family * 50, passage_tokens=24, overlap_tokens=0)
    assert "".join(passage.text for passage in passages) == family * 50
    assert all(len(passage.text) % len(family) == 0 for passage in passages)


@pytest.mark.parametrize("text", ["", " \n\r\n\t ", "\u200b\u200b"])
def test_nothing_to_find_makes_no_passages(tokenize, text):
    assert split(tokenize, text) == []


@pytest.mark.parametrize(("passage", "overlap"), [(7, 0), (0, 0), (200, 200), (200, -1)])
def test_sizes_that_cannot_work_are_refused(tokenize, passage, overlap):
    with pytest.raises(ExcerptaError, match="at least 8"):
        Chunker(tokenize, passage_tokens=passage, overlap_tokens=overlap)


def test_tokens_are_the_same_in_blocks_and_counted_by_overlap(tokenize):
    text = "some words, here. " * 5000
    spans = TokenMap.of(text, tokenize)
    whole = tokenize([text])[0].offsets
    assert spans.starts.tolist() == whole[:, 0].tolist()
    assert spans.ends.tolist() == whole[:, 1].tolist()
    for start, end in [(0, 0), (0, 4), (2, 3), (4, 5), (3, 12), (17, 19)]:
        assert spans.count(start, end) == sum(s < end and e > start for s, e in whole.tolist() if end > start)


@pytest.mark.long
@pytest.mark.parametrize(
    "unit", ["A sentence of six words. ", "word ", "x", "去", ". ", "\n", "# a\n", "```\n", "a,"]
)
def test_work_is_linear_in_the_length(tokenize, unit):
    """Calls made and characters tokenized, which no other load on the machine changes."""

    def work(characters):
        calls = read = 0

        def count(_frame, event, _argument):
            nonlocal calls
            calls += event in {"call", "c_call"}

        def counted(texts):
            nonlocal read
            read += sum(map(len, texts))
            return tokenize(texts)

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            split(counted, unit * (characters // len(unit)))
        finally:
            sys.setprofile(before)
        return calls, read

    for small, large in zip(work(40_000), work(200_000), strict=True):
        assert large < 8 * small
