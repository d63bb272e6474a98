"""`benchmarks rerank`: its lists, its cases, and what they cost."""

import argparse
import json

import pytest

from benchmarks import rerank
from benchmarks.report import Report
from benchmarks.rerank.candidate_lists import read_sets
from tests.support.beir_sets import tides


def write_rows(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def published(tmp_path):
    texts = {"moon": "tides by the moon and sun", "magma": "magma through crust", "money": "head finance"}
    candidates = [
        {"docid": name, "rank": at, "score": 9 - at, "text": text}
        for at, (name, text) in enumerate(texts.items(), start=1)
    ]
    rows = [
        {"qid": "q1", "query": "what magma", "candidates": candidates, "qrels": {"magma": 3, "elsewhere": 1}},
        {"qid": "q2", "query": "who moon", "candidates": candidates, "qrels": {"moon": 1}},
    ]
    write_rows(tmp_path / "lists" / "some.jsonl", rows)
    return tmp_path / "lists"


def measured(tmp_path, tiny_profile, data, *given):
    parser = argparse.ArgumentParser()
    rerank.add_options(parser)
    parser.set_defaults(split=None, queries=None, seed=0, cases=None, data=[data])
    options = parser.parse_args(
        ["--profile", str(tiny_profile), "--models", str(tmp_path / "models"), *given]
    )
    report = Report("rerank", None)
    rerank.run(options, report)
    return report, {(one.case, one.metric): one.value for one in report.results}


def test_every_case_is_measured(tmp_path, tiny_profile, published):
    report, found = measured(tmp_path, tiny_profile, published)
    missing = {case for _, case in report.notes}
    assert missing == {"first", "first-calibrated", "first-orders", "cross-encoder"}
    for case in set(rerank.CASES) - missing:
        assert found[case, "queries"] == 2
        assert 0 <= found[case, "ndcg@10"] <= 1
        assert (found[case, "tokens"] > 0) == (case != "input")
    assert found["input", "mrr@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert [found[case, "passes"] for case in ("first-zero-shot", "icr", "likelihood")] == [1, 2, 3]


def test_only_the_first_are_ranked_and_the_judgments_are_all(tmp_path, tiny_profile, published):
    [data] = read_sets(published)
    assert data.qrels == {"q1": {"magma": 3, "elsewhere": 1}, "q2": {"moon": 1}}
    _, found = measured(tmp_path, tiny_profile, published, "--depth", "1")
    assert found["likelihood", "ndcg@10"] == found["input", "ndcg@10"] < 1


def test_a_set_in_beir_layout_is_searched(tmp_path):
    [data] = read_sets(tides(tmp_path / "tides"), "test")
    assert data.name == "tides.bm25"
    assert data.lists[1].documents[0] == "money"
    assert data.lists[1].texts[0].startswith("Travel\nTravel above")
    assert data.sample(1, 0).lists in ([data.lists[0]], [data.lists[1]])


def test_prompts_of_many_documents_stand_in_the_order_of_bm25(tmp_path):
    folder = tides(tmp_path / "tides")
    row = {"qid": "q1", "question": "what erupt magma", "gold": "magma", "distractors": ["moon", "money"]}
    write_rows(folder / "multidoc.jsonl", [row])
    [data] = read_sets(folder)
    assert data.lists[0].documents[0] == "magma"
    assert sorted(data.lists[0].documents) == ["magma", "money", "moon"]
    assert data.qrels == {"q1": {"magma": 1}}


def test_a_folder_without_lists_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no lists"):
        read_sets(tmp_path)
