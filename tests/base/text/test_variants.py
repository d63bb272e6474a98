"""Variants: how an identifier of a question may be written in a text."""

import pytest

from base.text.variants import variants


@pytest.mark.parametrize(
    ("question", "among"),
    [
        ("price of PPR9087?", ["PPR-9087", "PPR 9087", "PPR_9087", "PPR/9087"]),
        ("price of ppr 9087", ["PPR9087", "PPR-9087", "ppr-9087"]),
        ("PPR-9087-B", ["PPR9087B", "PPR 9087 B"]),
        ("CCL19 is", ["CCL-19", "CCL 19"]),
        ("10mm", ["10 mm", "10-mm"]),
        ("1000000 people", ["1,000,000", "1 000 000", "1.000.000", "1'000'000"]),
        ("1 000 people", ["1000", "1,000"]),
    ],
)
def test_an_identifier_is_written_in_many_ways(question, among):
    assert set(among) <= set(variants(question))


@pytest.mark.parametrize(
    "question",
    [
        "",
        "who is it",
        "in 1 or 2",
        "CCL is",
        "season 8 of it",
        "in 1930",
        "10 is",
        "0.5",
        "v2.31",
        "192.168.100.200",
        "a 12,5",
    ],
)
def test_other_words_have_one_way(question):
    assert variants(question) == []
