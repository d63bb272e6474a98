"""Plans: presets, stored plans and those of a request, one over the other."""

import msgspec
import pytest
from excerpta.types import PlanOptions

from api.errors import (
    InvalidPlan,
    UnknownPlan,
)
from api.query import plan as plans


def options(**members):
    return msgspec.convert(members, PlanOptions)


def test_every_preset_is_a_whole_plan():
    for name in plans.PRESETS:
        assert plans.resolve(name).base == name
    assert plans.resolve(None) == plans.resolve("balanced") == plans.resolve(options())
    assert plans.resolve("fast").answer is None
    assert plans.resolve("best").retrieve["ngrams"] is not None


def test_a_plan_lies_over_the_stored_one_and_that_over_a_preset():
    stored = options(base="best", rerank={"limit": 7}, answer=None)
    assert plans.resolve(None, stored).rerank.limit == 7
    assert plans.resolve(None, stored).answer is None
    over = plans.resolve(options(answer={"max_tokens": 5}), stored)
    assert (over.base, over.rerank.limit, over.answer.max_tokens) == ("best", 7, 5)
    assert over.answer.temperature == 0.0, "a stage switched on again starts from its defaults"
    assert plans.resolve("fast", stored).rerank is None
    assert plans.resolve(options(base="balanced"), stored).rerank is None
    assert plans.resolve(None, "fast").answer is None


def test_null_is_off_and_an_empty_object_is_on():
    assert plans.resolve(options(rerank=None)).rerank is None
    assert plans.resolve(options(base="fast", rerank={})).rerank.limit == 10
    assert plans.resolve(options(rerank={})).rerank == plans.resolve(options(base="fast", rerank={})).rerank
    assert plans.resolve(options(retrieve={"ngrams": {"beams": 3}})).retrieve["ngrams"].beams == 3
    assert plans.resolve(options(retrieve={"tokens": None})).retrieve["lexical"] is not None
    weights = plans.resolve(options(fuse={"weights": {"tokens": 2.0}})).fuse.weights
    assert weights == plans.resolve(None).fuse.weights | {"tokens": 2.0}


def test_search_runs_what_it_is_told_to():
    assert plans.resolve("best", search=True).rerank is None
    assert plans.resolve(options(rerank={"limit": 3}), search=True).rerank.limit == 3
    assert plans.resolve(None, options(rerank={"limit": 3}), search=True).rerank is None
    with pytest.raises(InvalidPlan, match="/v1/query"):
        plans.resolve(options(answer={}), search=True)


def test_plans_that_are_none():
    with pytest.raises(UnknownPlan, match="balanced, best, fast"):
        plans.resolve("slow")
    with pytest.raises(InvalidPlan, match="no retriever"):
        plans.resolve(options(retrieve={"tokens": None, "lexical": None}))
    with pytest.raises(InvalidPlan, match="weight 0"):
        plans.resolve(options(retrieve={"tokens": None}, fuse={"weights": {"lexical": 0}}))
