"""Words: as compression keeps them, as phrases are made of them, and as claims are checked by them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text.words import facts, plain_words, words

PIECES = [*"ab1.,;()-/ \n\r\t東é", "👩‍👧", "🇩🇪", "don't", "e\u0301"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def cut_words(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \r\n\t", []),
        ("word", ["word"]),
        ("$0.215, 1,234.5 and 5%", ["$0.215", ",", "1,234.5", "and", "5%"]),
        ("a, b,c", ["a", ",", "b", ",", "c"]),
        ("at 10.0.0.21:8080 or 12:30.", ["at", "10.0.0.21:8080", "or", "12:30", "."]),
        ("(see https://a.org/x?y=1&z=[2]).", ["(", "see", "https://a.org/x?y=1&z=[2", "]", ")", "."]),
        ("mail a.b+c@d.org", ["mail", "a.b+c@d.org"]),
        ("--flag -x ./a/b ~/c /usr/bin", ["--flag", "-x", "./a/b", "~/c", "/usr/bin"]),
        (
            "state-of-the-art don't C++ C# snake_case",
            ["state-of-the-art", "don't", "C++", "C#", "snake_case"],
        ),
        ("東京は2020年", ["東", "京", "は", "2020", "年"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("cafe\u0301 👩‍👩‍👧‍👦🇩🇪👍🏽", ["cafe\u0301", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽"]),
        ('{"ip": "10.0.0.21"}', ["{", '"', "ip", '"', ":", '"', "10.0.0.21", '"', "}"]),
        ("x\ud800y", ["x", "\ud800", "y"]),
    ],
)
def test_words(text, expected):
    assert cut_words(text) == expected


@given(TEXT | st.text(max_size=60))
def test_words_are_in_order_and_hold_every_character_but_whitespace(text):
    spans = words(text)
    assert (spans[:, 0] < spans[:, 1]).all()
    assert (spans[1:, 0] >= spans[:-1, 1]).all()
    outside = np.ones(len(text), bool)
    for start, end in spans:
        outside[start:end] = False
    assert all(char.isspace() for char, out in zip(text, outside, strict=True) if out)


@pytest.mark.long
@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a+" * 500_000, "." * 10**6, "a://" * 250_000, "http://" * 150_000]
)
def test_a_megabyte_without_spaces_is_cut_in_linear_time(text):
    assert len(words(text)) >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("?! -", []),
        (
            "What's the C3PO-unit's e-mail, naïve Übung?",
            ["What's", "the", "C3PO-unit's", "e-mail", "naïve", "Übung"],
        ),
        ("Node.js 3.5 snake_case", ["Node.js", "3.5", "snake_case"]),
        ("cafe\u0301 Со\u0301фия हिन्दी में", ["cafe\u0301", "Со\u0301фия", "हिन्दी", "में"]),
        ("東京は2020年", ["東京は2020年"]),
    ],
)
def test_plain_words(text, expected):
    assert [text[start:end] for start, end in plain_words(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("?! -", []),
        (
            "In 1843, 2,000.50 of 3.5% at 9:00-10:30 on 2020/1/2.",
            ["In", "1843", "2,000.50", "of", "3.5%", "at", "9:00-10:30", "on", "2020/1/2"],
        ),
        (
            "form T-12, os.path, don’t 5-year 12km",
            ["form", "T-12", "os.path", "don’t", "5", "year", "12", "km"],
        ),
        ("__debug__ cafe\u0301 Со\u0301фия", ["__debug__", "cafe\u0301", "Со\u0301фия"]),
        ("約1400万人", ["約1400万人"]),
    ],
)
def test_facts(text, expected):
    assert facts(text) == expected


@given(TEXT | st.text(max_size=60))
def test_no_letter_or_digit_is_lost(text):
    wanted = [char for char in text if char.isalnum()]
    assert [char for word in facts(text) for char in word if char.isalnum()] == wanted
    assert [
        char for first, last in plain_words(text) for char in text[first:last] if char.isalnum()
    ] == wanted
