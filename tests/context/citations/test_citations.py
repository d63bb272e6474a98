"""Citations: what is supported, what is marked, and that streaming changes nothing."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from context import Citer
from context.citations.evidence import Support
from context.citations.marks import MarkFilter
from tests.support.speeds import examples

PASSAGES = [
    "Travel above 2,000 euros needs approval. The head of finance approves it in writing. Ask by form T-12.",
    "The office opens at 9:00. Dogs are not allowed in the kitchen. See items[0] for the list, e.g. of rooms.",
    'The "assert" statement raises AssertionError\nwhen its condition is false. It calls `__debug__` first.',
    "東京は日本の首都です。人口は約1400万人です。",
    "Ada Lovelace wrote the first program in 1843. Charles Babbage designed the engine.",
]


def cite(text, *, cuts=(), passages=PASSAGES, **known):
    citer = Citer(passages, **known)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    parts = [citer.feed(text[a:b]) for a, b in pairwise(edges)]
    parts.append(citer.finish())
    return "".join(part.text for part in parts), [c for part in parts for c in part.citations], citer


def quotes(text, **known):
    return [cited.quote for cited in cite(text, **known)[1]]


def test_a_supported_sentence_gets_a_mark_before_its_stop():
    text, cited, citer = cite("The head of finance approves it in writing.")
    assert text == "The head of finance approves it in writing [1]."
    assert (cited[0].marker, cited[0].passage) == (1, 0)
    assert cited[0].quote == "The head of finance approves it in writing."
    assert PASSAGES[0][cited[0].start : cited[0].end] == cited[0].quote
    assert citer.supported


def test_marks_are_numbered_in_order_of_first_use_and_reused():
    text, cited, _ = cite("The office opens at 9:00. Ask by form T-12! The office opens at 9:00.")
    assert text == "The office opens at 9:00 [1]. Ask by form T-12 [2]! The office opens at 9:00 [1]."
    assert [c.marker for c in cited] == [1, 2]


@pytest.mark.parametrize(
    "claim",
    [
        "The office opens at 10:00.",  # another number
        "Travel above 3000 euros needs approval.",
        "The head of sales approves it in writing.",
        "Bob approves it in writing.",  # another name, even where every sentence has a capital
        "In writing, Bob approves it.",
        "Dogs are allowed in the kitchen.",  # denied by the passage
        "The head of finance never approves it in writing.",  # denies the passage
        "The engine was built by Ada Lovelace in 1843.",
        'The "finally" statement raises AssertionError when its condition is false.',  # quoted words count
        "Travel below 2000 euros needs approval.",
        "Bananas are rich in potassium.",
        "The documents do not say.",
        "Yes.",
        "",
        "…",
    ],
)
def test_what_the_passages_do_not_say_gets_no_mark(claim):
    text, cited, citer = cite(claim)
    assert (text, cited, citer.supported) == (claim, [], False)


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Dogs aren't allowed in the kitchen", "Dogs are not allowed in the kitchen."),
        ("Approval is needed for travel above 2000 euros", "Travel above 2,000 euros needs approval."),
        ("It raises an AssertionError when the condition is false", PASSAGES[2].split(". ")[0] + "."),
        ("9:00", "The office opens at 9:00."),
        ("人口は約1400万人です。", "人口は約1400万人です。"),
        ("The first program was written by Ada Lovelace", "Ada Lovelace wrote the first program in 1843."),
    ],
)
def test_other_words_for_the_same_are_supported(claim, quote):
    assert quotes(claim) == [quote]


def test_a_bound_is_not_taken_for_its_opposite():
    passages = [
        "The head of finance approves travel above 2000 euros. Below that sum the team lead approves it."
    ]
    assert quotes("The head of finance approves travel above 2000 euros.", passages=passages)
    assert not quotes("The head of finance approves travel below 2000 euros.", passages=passages)


def test_a_claim_over_two_neighbouring_sentences_is_quoted_whole():
    assert quotes("The head of finance approves travel above 2000 euros in writing.") == [
        "Travel above 2,000 euros needs approval. The head of finance approves it in writing."
    ]


def test_two_passages_can_carry_one_sentence():
    text, cited, _ = cite("The office opens at 9:00 and Ada Lovelace wrote the first program.")
    assert text.endswith(" [1] [2].")
    assert {c.passage for c in cited} == {1, 4}


def test_names_may_stand_in_the_title():
    passages = ["She wrote the first program in 1843."]
    claim = "In 1843 Ada Lovelace wrote the first program."
    assert not quotes(claim, passages=passages)
    assert quotes(claim, passages=passages, titles=["Ada Lovelace"]) == passages
    assert not quotes(claim, passages=passages, question="What did Ada Lovelace write?")


def test_a_quote_about_something_else_does_not_answer_the_question():
    passages = ["The with statement wraps the execution of a block with methods of a context manager."]
    claim = "The pass statement wraps the execution of a block with methods of a context manager."
    assert quotes(claim, passages=passages)
    assert not quotes(claim, passages=passages, question="What does the pass clause do?")
    assert quotes(claim, passages=passages, titles=["pass"], question="What does the pass clause do?")


def test_the_question_decides_between_equal_quotes():
    passages = ["Lunch is at 12:30.", "The office opens at 9:00.", "Trains leave at 9:00."]
    assert quotes("At 9:00.", passages=passages, question="When does the office open?") == [passages[1]]


def test_equal_passages_stay_apart_and_the_first_is_cited():
    _, cited, _ = cite("Lunch is at 12:30.", passages=["Lunch is at 12:30."] * 2)
    assert [c.passage for c in cited] == [0]


def test_marks_of_the_model_are_removed_unless_they_are_text():
    text, _, citer = cite(
        "The office opens at 9:00 [7]. Use items[0] or x = [1, 2] here[4]. [1, 2] Ask by form T-12 [3][4]."
    )
    assert text == "The office opens at 9:00 [1]. Use items[0] or x = [1, 2] here. Ask by form T-12 [2]."
    assert citer.removed == (" [7]", "[4]", " [1, 2]", " [3]", "[4]")


@pytest.mark.parametrize(
    "sentence",
    [
        "The estate went to Rev. Smith and Lt. Jones in 1820.",
        "Travel is covered in chap. 5 of the manual.",
        "Für Reisen gilt vgl. Anhang A bzw. Anhang B.",
        "Sr. García y la Dra. Ruiz viven en la pág. 4, núm. 3.",
        "M. Dupont et Mme. Curie sont morts en 44 av. J.-C. Rome.",
        "Apple Inc. Chief Tim Cook came at 5 p.m. Monday.",
    ],
)
def test_an_abbreviation_gets_no_mark_and_tears_no_quote(sentence):
    passage = f"Nothing else is said. {sentence} That is all."
    text, cited, _ = cite(sentence, passages=[passage], cuts=range(len(sentence)))
    assert text == f"{sentence[:-1]} [1]."
    assert [c.quote for c in cited] == [sentence]


def test_lists_wrapped_lines_and_code():
    text, cited, _ = cite(
        "Rules:\n\n- the office opens\n  at 9:00\n- dogs are not allowed in the kitchen\n\n"
        "```\nthe office opens at 9:00.\n```\nThe office opens at 9:00"
    )
    assert text == (
        "Rules:\n\n- the office opens\n  at 9:00 [1]\n- dogs are not allowed in the kitchen [2]\n\n"
        "```\nthe office opens at 9:00.\n```\nThe office opens at 9:00"
    ) or text.endswith("```\nThe office opens at 9:00 [1]")
    assert [c.marker for c in cited] == [1, 2]


def test_nothing_is_held_back_longer_than_needed():
    citer = Citer(PASSAGES)
    assert citer.feed("The office opens at 9:00").text == "The office opens at 9:00"
    assert citer.feed(".").text == ""
    assert citer.feed(" ").text == ""
    shown = citer.feed("It")
    assert shown.text == " [1]. It"
    assert citer.feed(" is an array [").text == " is an array"
    assert citer.feed("x]").text == " [x]"
    assert citer.finish().text == ""
    assert citer.finish().text == ""


def test_without_passages_nothing_is_supported():
    text, cited, citer = cite("The office opens at 9:00. [1]", passages=[])
    assert (text, cited, citer.supported) == ("The office opens at 9:00.", [], False)


def without_removed(text, removed):
    """The model's text without the marks taken out, found by the filter alone."""
    marks = MarkFilter(PASSAGES)
    plain = marks.feed(text) + marks.finish()
    assert tuple(marks.removed) == removed
    assert len(plain) == len(text) - sum(map(len, removed))
    return plain


def peeled(cited_text, plain):
    """`plain` if `cited_text` is that with " [n]" put in at some places, else nothing."""
    reached = {0}
    for at, character in enumerate(plain):
        reached = {
            place + 1
            for start in reached
            for place in [start, *(m.end() for m in [INSERTED.match(cited_text, start)] if m)]
            if cited_text[place : place + 1] == character
        }
        if not reached:
            return
        assert at < len(plain)
    rests = {INSERTED.sub("", cited_text[start:]) for start in reached}
    if "" in rests:
        yield plain


INSERTED = re.compile(r"(?: \[\d+\])+")
PIECES = st.one_of(
    st.sampled_from(
        ["The office opens at 9:00", "Dogs are not allowed in the kitchen", "人口は約1400万人です。"]
    ),
    st.sampled_from(
        [
            ". ",
            ".",
            "! ",
            '."',
            "…",
            "\n",
            "\n\n",
            "- ",
            " ",
            "  ",
            "`",
            "```",
            "1",
            "2. ",
            "e.g. ",
            "Dr. ",
            "a",
        ]
    ),
    st.sampled_from([" [1]", "[2, 3]", "[", "]", "items[0]", "x = [1]", "🐕"]),
    st.text(max_size=5),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=examples(120))
@given(TEXTS, st.lists(st.integers(0, 120), max_size=8))
@example("ok.\n1", [4])
@example("a \n `x", [3, 4])
@example("The office opens at 9:00 [1", [26])
def test_how_the_text_is_cut_changes_nothing(text, cuts):
    whole, cited, citer = cite(text)
    again, cited_again, other = cite(text, cuts=cuts)
    assert (whole, cited, citer.removed) == (again, cited_again, other.removed)
    single, cited_single, _ = cite(text, cuts=range(len(text)))
    assert (whole, cited) == (single, cited_single)


@settings(max_examples=examples(120))
@given(TEXTS)
def test_only_marks_are_added_and_removed_and_every_quote_is_in_its_passage(text):
    cited_text, cited, citer = cite(text)
    for c in cited:
        assert PASSAGES[c.passage][c.start : c.end] == c.quote
        assert c.quote.strip() == c.quote != ""
    assert [c.marker for c in cited] == list(range(1, len(cited) + 1))
    assert citer.supported == bool(cited)
    assert any(
        kept == plain for kept in [without_removed(text, citer.removed)] for plain in peeled(cited_text, kept)
    )


def test_rare_words_weigh_more():
    support = Support(
        [f"The blue server {verb} files." for verb in ("stores", "sends", "copies", "encrypts")]
    )
    (quote,) = support.quotes("The server encrypts")
    assert quote.passage == 3
    assert not support.quotes("The blue server files mail")


def test_a_question_in_the_answer_is_no_claim():
    citer = Citer(["Sea otters eat crabs and urchins. What do sea otters eat?", "Bread is baked."])
    whole = citer.feed("What do sea otters eat? Sea otters eat crabs and urchins.").text + citer.finish().text
    assert whole == "What do sea otters eat? Sea otters eat crabs and urchins [1]."


def test_a_sentence_of_many_clauses_is_tried_at_a_few_joints():
    """An answer is checked while others wait, so the work must not grow with the square of its length."""

    class Counting(Support):
        tried = 0

        def _quote(self, text):
            self.tried += 1
            return super()._quote(text)

    support = Counting(["Cats sleep. Dogs bark."])
    assert support.quotes(", and ".join(f"nothing{n} happens" for n in range(200))) == ()
    assert support.tried <= 20
