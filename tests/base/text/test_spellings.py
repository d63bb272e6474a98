"""Spellings: an identifier or a number is found however it is written, and what it is not stays apart."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from base.text.stop_words import english
from base.text.terms import analysed, asked_terms, placed_terms, terms_of
from tests.support.speeds import examples


def asked(text):
    words, spellings = asked_terms(text)
    return {term for term, _, _ in [*words, *spellings]}


def held(text):
    return {term for terms in analysed(text) for term in terms}


ALIKE = [
    (
        "PPR9087",
        "PPR-9087",
        "ppr 9087",
        "Ppr_9087",
        "PPR/9087",
        "PPR–9087",
        "PPR‑9087",
        "ＰＰＲ９０８７",
        "PPR\u200b9087",
    ),
    ("RTX4090", "RTX 4090", "rtx-4090"),
    ("ABC123XYZ", "ABC-123-XYZ", "abc_123.xyz", "abc 123 xyz"),
    ("10mm", "10 mm", "10\u00a0mm", "10-mm"),
    ("2.5mm", "2.5 mm", "2,5 mm"),
    (
        "1000000",
        "1,000,000",
        "1 000 000",
        "1'000'000",
        "1.000.000",
        "1_000_000",
        "10,00,000",
        "1\u202f000\u202f000",
    ),
    ("1234.5", "1,234.5", "1.234,5", "1 234,5"),
    ("19.25", "19,25"),
    ("20240105", "2024-01-05", "2024/1/5", "2024.01.05", "05.01.2024", "5 January 2024", "5. Jan. 2024"),
    ("0301234567", "030 123 4567", "(030) 123-4567", "030-123-4567"),
    ("getUserName", "get_user_name", "get-user-name", "GET_USER_NAME"),
    ("email", "e-mail", "E-Mail"),
    ("nodejs", "node.js", "Node.JS"),
    ("covid19", "COVID-19", "covid 19"),
    ("123", "١٢٣", "१२३"),
    ("USA", "U.S.A."),
    ("0x1F4A", "0X1f4a"),
    ("550e8400e29b41d4a716446655440000", "550E8400-E29B-41D4-A716-446655440000"),
    ("میخواهم", "می\u200cخواهم"),
    ("-5", "−5", "(-5)", "–5"),
    ("john.doe@example.com", "John.Doe@Example.com"),
]


@pytest.mark.parametrize("forms", ALIKE, ids=lambda forms: forms[0])
def test_every_form_is_found_by_every_other(forms):
    for written in forms:
        whole = held(f"Of {written}, it says.")
        for question in forms:
            common = asked(question) & whole
            longest = max(map(len, asked(forms[0])))
            assert common, (written, question)
            assert max(map(len, common)) >= min(longest, len(forms[0]) - 1), (written, question)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("2.31", "23.1"),
        ("5-10", "510"),
        ("v2.31", "v231"),
        ("2.5 mm", "5mm"),
        ("5 degrees", "-5"),
        ("pages 3-5", "-5"),
        ("C sharp", "c#"),
        ("a net", ".net"),
        ("C+", "c++"),
        ("U.S.A.", "us"),
        ("in 1990", "in1990"),
        ("mRNA", "rna"),
        ("iPhone", "phone"),
        ("10⁹", "109"),
        ("5½", "51"),
        ("the state-of-the-art", "theart"),
    ],
)
def test_what_is_something_else_stays_apart(text, term):
    assert term not in held(text)
    assert term not in asked(text) or term not in held(text)


@pytest.mark.parametrize("text", ["C++ and C# on .NET, F#", "-5 and (-5.2)"])
def test_signs_that_make_a_word_another_one_are_kept(text):
    wanted = {"c++", "c#", ".net", "f#"} if "C" in text else {"-5", "-5.2"}
    assert wanted <= held(text)
    assert wanted <= asked(text)


def test_parts_of_an_identifier_find_it():
    assert {"9087", "ppr"} <= held("PPR9087")
    assert {"get", "user", "name"} <= held("getUserName()")
    assert {"2.3.1", "v2.3.1"} <= held("version v2.3.1")


def test_spellings_make_a_text_no_longer():
    words, spellings = analysed("The RTX 4090 for 1,599 dollars (PPR-9087)")
    assert words == ["rtx", "4090", "1599", "dollar", "ppr", "9087"]
    assert spellings == ["rtx4090", "ppr9087"]
    assert analysed("Plain words have no other spelling, or few.").spellings == []


PLACED = st.lists(
    st.sampled_from(
        [
            *"ab1 2-/.,'’_@+#(İﬁ\u00ad\u200b½²東京\n",
            "PPR",
            "9087",
            "1,000",
            "getName",
            " mm",
            "C++",
            "ＡＢ",
            "é",
        ]
    ),
    max_size=24,
).map("".join)


@settings(max_examples=examples(300), deadline=None)
@given(PLACED)
def test_every_term_stands_in_the_text_that_was_given(text):
    placed = placed_terms(text)
    words, spellings = analysed(text)
    assert [term for term, _, _ in placed.words] == words == terms_of(text)
    assert [term for term, _, _ in placed.spellings] == spellings
    for terms in (placed, asked_terms(text)):
        assert all(0 <= start < end <= len(text) for part in terms for _, start, end in part)


LETTERS = st.text("abcdefgh", min_size=2, max_size=4)
DIGITS = st.text("0123456789", min_size=2, max_size=5)
IDENTIFIER = st.tuples(LETTERS, DIGITS) | st.tuples(
    LETTERS, DIGITS, st.text("abcdefgh", min_size=2, max_size=3)
)
BETWEEN = st.sampled_from(["", "-", "_", "/", " ", "‑", "–", "−", "\u00ad", "\u200b", "\u00a0", "－"])
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
WRITTEN = st.sampled_from([str.lower, str.upper, str.title, lambda text: text.translate(WIDE)])


@settings(max_examples=examples(300), deadline=None)
@given(IDENTIFIER, st.lists(BETWEEN, min_size=4, max_size=4), WRITTEN, WRITTEN)
def test_any_identifier_is_found_by_any_of_its_spellings(runs, between, one, other):
    assume(not english().short.intersection(runs))

    def spelled(write, signs):
        return write("".join(f"{sign}{run}" for sign, run in zip(["", *signs], runs, strict=False)))

    common = asked(spelled(one, between[:2])) & held(f"see {spelled(other, between[2:])} there")
    # Letters with digits, never one of both alone: those are common to many identifiers.
    assert any(not term.isalpha() and not term.isdecimal() for term in common)
