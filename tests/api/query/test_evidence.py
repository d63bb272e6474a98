"""How much of a question the passages found support."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.query.evidence import coverage, question_terms, weigh


def test_evidence_goes_up_with_what_is_found():
    def frequency(term):
        return {"tide": 2, "moon": 3}.get(term, 0)

    def evidence(text, similarity):
        return weigh(
            "What causes the tides of the moon?",
            [text],
            similarities=[similarity],
            frequency=frequency,
            total=50,
        )

    good = evidence("Tides are caused by the moon.", 0.8)
    bad = evidence("Invoices are paid in March.", 0.2)
    assert good.supported
    assert not bad.supported
    assert good.coverage == 1.0
    assert bad.coverage == 0.0
    assert not evidence("Tides are caused by the moon.", 0.4).supported
    assert not evidence("Invoices are paid in March.", 0.8).supported
    assert not weigh("", [], similarities=[], frequency=frequency, total=0).supported


def test_the_words_of_asking_do_not_count():
    assert question_terms("What is the difference between a list and a tuple?") == ["list", "tupl"]
    assert question_terms("what does it do") == ["what", "doe", "do"]


@given(
    st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef"))
)
def test_coverage_is_a_share_and_grows(asked, found, more):
    def share(terms):
        return coverage(asked, terms, frequency=lambda term: ord(term) % 5, total=9)

    assert 0 <= share(found) <= share(found | more) <= 1 + 1e-12
    assert not asked or share(asked) == pytest.approx(1)
