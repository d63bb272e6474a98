"""Terms: indexes on disk are made of them, so what a text's terms are may only change with their name."""

import hashlib
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text import earlier_terms, terms
from base.text.terms import analysed, term_spans, terms_of


def test_words_of_many_scripts():
    assert terms_of("Naïve CAFÉS_don't über-cool 3.14 ٣٤") == [
        "naïv",
        "café",
        "dont",
        "über",
        "cool",
        "3",
        "14",
        "٣٤",
    ]
    assert terms_of("हिन्दी भाषा, ภาษาไทย") == ["हिन्दी", "भाषा", "ภาษาไทย"]
    assert terms_of("ＡＢＣ ﬁne it’s") == ["abc", "fine"]
    assert " ".join(terms_of("カフェb東京 한국")) == "カ カフ フ フェ ェ b 東 東京 京 한 한국 국"
    assert terms_of("🌋 \r\n\t ... \ud800") == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "read", "digest"),
    [
        (earlier_terms.NAME, earlier_terms.terms_of, "316fe006d8f0f701"),
        (terms.NAME, terms_of, "6153a94453eed10e"),
        (terms.NAME, lambda text: analysed(text).spellings, "7a36498782a78c45"),
    ],
    ids=["earlier", "words", "spellings"],
)
def test_every_character_keeps_its_terms(name, read, digest):
    """Each character alone, between letters and between ideographs; of Unicode 3.2, for any Python."""
    found = hashlib.sha256()
    for character in map(chr, range(0x10000)):
        if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs", "Co"):
            found.update(" ".join(read(f"b{character}s {character} 東{character}京")).encode())
            found.update(b"\n")
    assert name in ("english-snowball-cjk12", "english-snowball-cjk12-identifiers")
    assert found.hexdigest()[:16] == digest


@pytest.mark.parametrize(
    ("words", "stems"),
    [
        ("running runs runner ran", "run run runner ran"),
        ("flies fly flying skies dying", "fli fli fli sky die"),
        ("relational conditional hopefully generously", "relat condit hope generous"),
    ],
)
def test_stems_are_snowballs(words, stems):
    assert terms_of(words) == stems.split()


# What becomes several characters, or fewer, or stands in another order once it is normalised.
ODD = "abİßﬁ½…™e\u0301\u0323q\u0307한\u1100\u1161\u11a8ｶ\uff9e東京\u09c7\u09be'’.İ \xa0Ωσ"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=30).map("".join))
def test_a_term_stands_where_its_span_says(text):
    spans = term_spans(text)
    assert [term for term, _, _ in spans] == terms_of(text)
    for term, start, end in spans:
        assert 0 <= start < end <= len(text)
        if "Σ" not in text:  # its small letter depends on the letters around the word
            assert term in terms_of(text[start:end])


@pytest.mark.long
def test_every_character_keeps_its_place():
    """What stands behind a character is found where it is, whatever the character becomes."""
    for character in map(chr, range(0x10000)):
        text = f"{character} b{character}s fox"
        assert [text[start:end] for term, start, end in term_spans(text) if term == "fox"][-1:] == ["fox"]
