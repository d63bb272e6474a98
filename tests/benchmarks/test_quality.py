"""`benchmarks quality` and `fusion`: each case is a plan that the query engine runs."""

import argparse

import pytest

from api.query.plan import resolve
from benchmarks import fusion, quality
from benchmarks.report import Report
from evaluation.searches import ranking_plan
from tests.support.beir_sets import tides


def options_of(module, *given):
    parser = argparse.ArgumentParser()
    module.add_options(parser)
    parser.set_defaults(split=None, queries=None, seed=0, cases=None)
    return parser.parse_args(given)


def resolved(case, *given):
    return resolve(ranking_plan(quality.plan_of(case, options_of(quality, *given))))


@pytest.mark.parametrize("case", ["lexical", "tokens", "ngrams"])
def test_a_retriever_runs_alone(case):
    plan = resolved(case)
    on = [name for name in ("tokens", "lexical", "ngrams") if plan.retrieve[name] is not None]
    assert on == [case]
    assert plan.rerank is None
    assert plan.retrieve[case].limit == 200


def test_fused_is_the_default_plan_and_reranked_has_the_default_reranker_besides():
    default = resolve(None)
    assert resolved("reranked").retrieve == resolved("fused").retrieve == default.retrieve
    assert resolved("reranked").fuse == resolved("fused").fuse == default.fuse
    assert resolved("fused").rerank == default.rerank
    assert resolved("reranked").rerank == resolve({"rerank": {}}).rerank


def test_a_reranker_is_a_case_by_its_name():
    plan = resolved("icr", "--rerank", "20")
    assert (plan.rerank.method, plan.rerank.limit) == ("icr", 20)
    assert plan.fuse == resolved("fused").fuse


def test_options_reach_the_plan():
    assert resolved("tokens", "--refine", "7", "--k-tokens", "50").retrieve["tokens"].refine == 7
    assert resolved("tokens", "--k-tokens", "50").retrieve["tokens"].k_tokens == 50
    assert resolved("unrefined").retrieve["tokens"].refine == 0
    assert resolved("reranked", "--rerank", "3").rerank.limit == 3
    assert resolved("fused", "--depth", "30").retrieve["lexical"].limit == 30


def test_every_case_is_measured(tmp_path, tiny_profile):
    options = options_of(quality, "--profile", str(tiny_profile), "--index", str(tmp_path / "home"))
    options.data = [tides(tmp_path / "tides")]
    options.cases = ",".join((*quality.CASES, *quality.OTHERS))
    report = Report("quality", None)
    quality.run(options, report)
    found = {(one.case, one.metric): one.value for one in report.results}
    for case in (*quality.CASES, *quality.OTHERS):
        assert found[case, "queries"] == 2
        assert 0 <= found[case, "ndcg@10"] <= 1
    assert found["lexical", "hits@1"] == 1.0
    assert found["exact", "recall@100"] == 1.0


def test_fusions_are_the_engines(tmp_path, tiny_profile):
    options = options_of(fusion, "--profile", str(tiny_profile), "--index", str(tmp_path / "home"))
    options.data = [tides(tmp_path / "tides")]
    options.weights = "0.4"
    report = Report("fusion", None)
    fusion.run(options, report)
    found = {one.case: one.value for one in report.results if one.data == "mean"}
    assert set(found) == {"lexical", "tokens", "rrf@0.4", "weighted@0.4", "scores@0.4"}
    assert found["lexical"] == 1.0


def test_unknown_cases_name_those_there_are():
    options = options_of(quality)
    options.cases, options.data = "bm25", []
    with pytest.raises(SystemExit, match="lexical, tokens, ngrams, fused, reranked"):
        quality.run(options, Report("quality", None))
