"""Folding: plain characters, nothing unseen, and every character known by where it came from."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text.digits import ungrouped
from base.text.folding import fold, fold_with_origins
from tests.support.speeds import examples

ODD = "ab1 2é\u0301-‐‑‒–—−\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff\u202fﬁＡ１½²₃⁻①İßΣ东한می\u0e01\n'’,.٬_\U000e0041"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ－１２３", "ABC-123"),
        ("PPR‑9087 PPR‐9087 PPR–9087 PPR−9087", "PPR-9087 PPR-9087 PPR-9087 PPR-9087"),
        ("1999 – 2001 — on", "1999 – 2001 — on"),
        ("co\u00adoperate data\u00ad\n  base", "cooperate database"),
        ("\ufeffPPR\u2060-\u200b90\u200d87\u200e", "PPR-9087"),
        ("1\u00a0000\u202f000\u2009m", "1 000 000 m"),
        ("ﬁne ﬂow Ⅷ ™", "fine flow VIII TM"),
        ("10⁹ 10⁻⁹ m² H₂O log₂8", "10^9 10^-9 m2 H2O log2 8"),
        ("5½ ½ 3¼", "5 1⁄2 1⁄2 3 1⁄4"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष क\u200c", "क्ष क"),
        ("ไทย\u200bแลนด์", "ไทย แลนด์"),
    ],
)
def test_what_looks_alike_is_alike(text, folded):
    assert fold(text) == folded


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=24).map("".join))
def test_folding_twice_is_folding_once_and_origins_are_in_order(text):
    folded, origins = fold_with_origins(text)
    assert folded == fold(text) == fold(folded)
    if origins is None:
        assert folded == text
        return
    assert len(origins) == len(folded)
    assert all(0 <= start < end <= len(text) for start, end in origins)
    assert origins == sorted(origins)


@pytest.mark.long
def test_every_character_folds_once_and_for_all():
    for character in map(chr, range(0x110000)):
        if unicodedata.category(character) != "Cs":
            for text in (character, f"1{character}", f"{character}1", f"b{character}s", f"م{character}م"):
                folded, origins = fold_with_origins(text)
                assert folded == fold(text) == fold(folded)
                assert origins is None or len(origins) == len(folded)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,000 1,000,000 10,00,000 1'000 1’000’000 1_000_000", "1000 1000000 1000000 1000 1000000 1000000"),
        ("1.000.000 1.000,50 1,000.50 12,345.6", "1000000 1000,50 1000.50 12345.6"),
        ("(1,234) €1,234; -1,234% 1,000mg", "(1234) €1234; -1234% 1000mg"),
        # A single dot may be a decimal point, and what has no groups of three is no such number.
        ("1.000 3.141 1,00 1,0000 12,34 0,5 1,2,3 a1,000", "1.000 3.141 1,00 1,0000 12,34 0,5 1,2,3 a1,000"),
        ("192.168.100.200 1.234.567.8 v1.000.000", "192.168.100.200 1.234.567.8 v1.000.000"),
        ("2026,100 1,000,00", "2026,100 1,000,00"),
    ],
)
def test_grouped_numbers_are_plain_ones(text, plain):
    found, origins, _ = ungrouped(text)
    assert found == plain
    assert [text[start:end] for start, end in origins or []] in ([], list(plain))


def test_a_list_that_looks_like_a_number_keeps_its_parts():
    assert [group for group, _, _ in ungrouped("101,102,000,103")[2]] == ["101", "102", "103"]
