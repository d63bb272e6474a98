"""Terms: indexes on disk are made of them, so what a text's terms are may only change with their name."""

import hashlib
import unicodedata

import pytest

from base.text import terms
from base.text.terms import terms_of


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
def test_every_character_keeps_its_terms():
    """Each character alone, between letters and between ideographs; of Unicode 3.2, for any Python."""
    found = hashlib.sha256()
    for character in map(chr, range(0x10000)):
        if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs", "Co"):
            found.update(" ".join(terms_of(f"b{character}s {character} 東{character}京")).encode())
            found.update(b"\n")
    assert (terms.NAME, found.hexdigest()[:16]) == ("english-snowball-cjk12", "316fe006d8f0f701")


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
