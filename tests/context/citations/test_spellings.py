"""A claim is carried by its quote in any spelling, and never by another number."""

import pytest

from context.citations.evidence import Support

CARRIED = [
    ("The PPR9087 costs 12 euros.", "PPR-9087 costs 12 euros."),
    ("The PPR-9087 costs 12 euros.", "The PPR 9087 costs 12 euros."),
    ("The PPR 9087 costs 12 euros.", "The PPR9087 costs 12 euros."),
    ("The PPR 9087 costs 12 euros.", "The ＰＰＲ‑９０８７ costs 12 euros."),
    ("The ppr_9087 costs 12 euros.", "The PPR\u2060-\u200b9087 costs 12\u00a0euros."),
    ("The region has 1,000,000 people.", "The region has 1 000 000 people."),
    ("The region has 1 000 000 people.", "The region has 1000000 people."),
    ("The region has 1'000'000 people.", "The region has 1.000.000 people."),
    ("It was −5 degrees in Oslo.", "In Oslo it was -5 degrees."),
    ("It was minus 5 degrees in Oslo.", "In Oslo it was –5 degrees."),
    ("Sales of the Oslo shop fell by 5% in spring.", "Sales of the Oslo shop in spring: -5%."),
    ("The report was sent on 2026-01-05.", "The report was sent on 2026/1/5."),
    ("Call getUserName to read the profile.", "Call get_user_name to read the profile."),
    ("The colour of the pump is red.", "The co\u00adlour of the pump is red."),
]
NOT_CARRIED = [
    ("The PPR-9087 costs 12 euros.", "The PPR-9078 costs 12 euros."),
    ("The PPR-9087 costs 12 euros.", "The 9087 costs 12 euros."),
    ("It was 5 degrees in Oslo.", "In Oslo it was -5 degrees."),
    ("It was -5 degrees in Oslo.", "In Oslo it was 5 degrees."),
    ("It was minus 5 degrees in Oslo.", "In Oslo it was 5 degrees."),
    ("Sales of the Oslo shop rose by 5% in spring.", "Sales of the Oslo shop in spring: -5%."),
    ("The region has 1,000,000 people.", "The region has 100,000 people."),
    ("The region has 1,234 people.", "The region has 1 people or 234."),
    ("The version is v2.31 of the tool.", "The version is v23.1 of the tool."),
    ("The limit is 109 vectors.", "The limit is 10⁹ vectors."),
    ("The board is 51/2 inches wide.", "The board is 5½ inches wide."),
]


@pytest.mark.parametrize(("claim", "passage"), CARRIED)
def test_another_spelling_carries_a_claim(claim, passage):
    (quote,) = Support([passage]).quotes(claim)
    # The quote is the passage's own characters.
    assert (quote.start, quote.end) == (0, len(passage))


@pytest.mark.parametrize(("claim", "passage"), NOT_CARRIED)
def test_another_number_carries_none(claim, passage):
    assert Support([passage]).quotes(claim) == ()
