"""The parts of listing that a whole query seldom shows: what is one group, and when a deeper search counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from api.query import plan as plans
from api.query.candidates import Candidate, SourceFound
from api.query.listing import deeper, followed_by, grouped, is_short
from retrieval import Hits, Passage


def candidate(number, score=0.0, *, text="", collection="c", **metadata):
    source = SimpleNamespace(name=collection, snapshot=SimpleNamespace(metadata=lambda at: metadata))
    passage = Passage(f"d{number}", 0, text or f"text {number}", 0, 9)
    found = SimpleNamespace(source=source)
    return Candidate(found, number, passage, scores={"fused": score}, ranks={"fused": number})


def sizes(candidates, by):
    return [1 + len(one.others) for one in grouped(candidates, by)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, True, 1.0, "1"], [2, 1, 1]),  # numbers, not a truth, not a string
        ([None, None, 0, False], [1, 1, 1, 1]),  # who has no value is like nobody
        ([["a", "b"], ["b", "a"], ["a", "b"], "a"], [2, 1, 1]),
        ([["a"], "a"], [2]),
        ([[1], [True]], [1, 1]),
    ],
)
def test_equal_values_are_one_group(values, expected):
    candidates = [candidate(at, team=value) for at, value in enumerate(values)]
    assert sizes(candidates, "team") == expected


def test_only_whitespace_is_folded():
    texts = ["a b", " a\n\tb ", "A b", "ab"]
    assert sizes([candidate(at, text=text) for at, text in enumerate(texts)], "text") == [2, 1, 1]


def test_what_only_a_deeper_search_finds_follows_whatever_its_score():
    first = [candidate(1, 0.9), candidate(2, 0.1)]
    deep = [candidate(3, 0.95), candidate(1, 0.93), candidate(2, 0.5), candidate(2, 0.4, collection="other")]
    followed = followed_by(first, deep)
    assert followed[:2] == first
    assert [(one.key, one.ranks["fused"]) for one in followed[2:]] == [(("c", 3), 2), (("other", 2), 3)]


def test_a_list_is_short_for_its_page_and_for_what_is_reranked():
    copies = [candidate(at, text="same") for at in range(8)] + [candidate(9)]
    plan = plans.resolve({"base": "fast", "group": {"by": "text"}})
    assert not is_short(copies, plan, 2)
    assert is_short(copies, plan, 3)
    ungrouped = plans.resolve("fast")
    assert not is_short(copies, ungrouped, 9)
    # Each page has to rerank the same passages, the first as well: single texts, or all passages.
    assert is_short(copies, plans.resolve({"group": {}, "rerank": {"limit": 3}}), 1)
    assert not is_short(copies, plans.resolve({"group": {}, "rerank": {"limit": 2}}), 1)
    assert not is_short(copies, plans.resolve({"group": {"by": "document"}, "rerank": {"limit": 9}}), 1)
    assert is_short(copies, plans.resolve({"group": {"by": "document"}, "rerank": {"limit": 10}}), 1)


def test_only_full_lists_without_a_limit_of_the_plan_are_searched_deeper():
    asked = {"base": "fast", "retrieve": {"lexical": {"limit": 2}}}
    usual, deepest = plans.resolve(asked).retrieve, plans.deepest(asked)

    def found(tokens, lexical):
        lists = {
            name: Hits(np.arange(count), np.zeros(count, np.float32))
            for name, count in (("tokens", tokens), ("lexical", lexical))
        }
        return SourceFound(None, {}, lists, {})

    assert deeper([found(199, 2)], usual, deepest) == {}
    assert {
        name: one.limit for name, one in deeper([found(1, 2), found(200, 2)], usual, deepest).items()
    } == {"tokens": 1000}
