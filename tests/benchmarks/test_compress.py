"""`benchmarks compress`: answers that survive, kept words against labels, both beside random words."""

import argparse
import json

import numpy as np
import pytest

from benchmarks.compress import benchmark as compress
from benchmarks.compress import published
from benchmarks.compress.baselines import BASELINES, BaselineScorer, Remembering
from benchmarks.compress.data import Question, read_questions
from benchmarks.report import Report
from compress import CATALOGUE, Compressed
from tests.support.beir_sets import write_beir
from training.data.keep_labels import Sentence, join


def options_of(*given, **members):
    parser = argparse.ArgumentParser()
    compress.add_options(parser)
    parser.set_defaults(split=None, queries=None, seed=0, cases=None, **members)
    return parser.parse_args(given)


@pytest.fixture
def questions(tmp_path):
    filler = "Nothing of that kind was ever written about this small and quiet town by the sea. "
    documents = [
        {"_id": f"d{at}", "title": "Town", "text": filler + f"Bridge {at} was built by Ada Quist. " + filler}
        for at in range(4)
    ]
    asked = [{"_id": "q", "text": "who built bridge 2", "answers": ["Ada Quist"]}]
    return write_beir(tmp_path / "town", documents, asked, {"test": [("q", "d2", 1)]})


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    lines = [{"tokens": ["The", "old", "mayor", "spoke", "."], "keep": [1, 0, 1, 1, 1]}] * 3
    (folder / "google-test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_each_case_is_measured_on_each_set(questions, labels, tiny_profile, tmp_path):
    options = options_of("--profile", str(tiny_profile), "--models", str(tmp_path / "models"))
    options.data, options.cases, options.texts = (
        [questions, labels],
        "lexical@0.5,lexical:alone@0.5,random@0.5",
        3,
    )
    report = Report("compress", None)
    compress.run(options, report)
    found = {(one.data, one.case, one.metric): one.value for one in report.results}
    for case in ("lexical@0.5", "lexical:alone@0.5", "random@0.5"):
        for data, metric in (("town", "retention"), ("labels", "f1")):
            assert 0 <= found[data, case, metric] <= 1
            assert found[data, case, "kept"] <= 0.5
            assert found[data, case, "tokens_per_cpu_s"] > 0
    assert found["town", "lexical@0.5", "retention"] == 1.0


def test_the_methods_that_the_profile_can_run_are_the_default_cases():
    names = {compress.case_of(case)[0] for case in compress.default_cases({"lm"})}
    methods = {name for name, one in CATALOGUE.items() if one.needs <= {"lm"}}
    assert names == methods | {f"{name}:alone" for name in methods} | {*BASELINES}


@pytest.mark.parametrize("case", ["lexical", "lexical@", "lexical@1", "lexical@x", "magic@0.5"])
def test_cases_that_are_none(case):
    with pytest.raises(SystemExit, match="no case"):
        compress.case_of(case)


def test_f1_by_hand():
    texts = [join([Sentence(["a", "bc", "d"], [1, 1, 0])])]
    kept = [Compressed(((2, 6),), "bc d", 3, 2)]
    assert compress.keep_f1(lambda query, given: kept, texts) == pytest.approx(2 * 1 / (2 + 2))
    assert compress.inside(np.array([[0, 1], [2, 4], [3, 7]]), ((2, 6),)).tolist() == [False, True, False]


def test_passages_of_a_question(tmp_path):
    documents = [
        {
            "_id": f"d{at}",
            "title": f"T{at % 2}",
            "text": f"Bridge {at} was built by {'Ada' if at < 2 else 'Tom'}.",
        }
        for at in range(8)
    ]
    asked = [
        {"_id": "q", "text": "who built bridge 0", "answers": ["Ada"]},
        {"_id": "r", "text": "who built bridge 2", "answers": ["nobody"]},
    ]
    data = write_beir(tmp_path / "set", documents, asked, {"test": [("q", "d0", 1), ("r", "d2", 1)]})
    (one,) = read_questions(data, None, 9, texts=6, seed=0)
    assert (len(one.texts), len(set(one.texts))) == (6, 6)
    assert [one.texts[at] for at in one.gold] == [documents[0]["text"]]
    assert sum(title == "T0" for title in one.titles) == 4, "those of the same title come first"
    assert documents[1]["text"] not in one.texts, "it answers too"
    lines = [{"question": "q?", "answers": ["Ada"], "gold": "d1", "distractors": ["d2", "d3", "d4"]}]
    (data / "multidoc.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (listed,) = read_questions(data, None, 9, texts=3, seed=0)
    assert sorted(listed.texts) == [documents[at]["text"] for at in (1, 2, 3)]


def test_of_a_meeting_the_words_of_the_passages_that_answer_count(tmp_path):
    documents = [{"_id": f"d{at}", "title": f"m{at // 5}", "text": f"A {at}: so it is."} for at in range(10)]
    asked = [{"_id": "q", "text": "what was said", "answers": ["something else"]}]
    data = write_beir(tmp_path / "talk", documents, asked, {"test": [("q", "d7", 1)]})
    (data / "meetings.jsonl").touch()
    (one,) = read_questions(data, None, 9, texts=3, seed=0)
    assert (len(one.texts), one.gold, one.answers) == (5, (2,), ())
    whole = [Compressed(((0, len(text)),), text, 1, 1) for text in one.texts]
    assert compress.retention(one, whole) == 1
    whole[2] = Compressed(((0, 3),), "A 7", 1, 1)
    assert compress.retention(one, whole) == pytest.approx(2 / 7)


def test_retention_counts_answers_where_they_were():
    one = Question("q", ("", ""), ("It is Ada.", "It is not Ada."), ("Ada",), (0,))
    left = [Compressed((), "", 1, 0), Compressed(((0, 14),), "It is not Ada.", 1, 1)]
    assert compress.retention(one, left) == 0
    assert compress.retention(one, [Compressed(((6, 9),), "Ada", 1, 1), left[1]]) == 1


def test_baselines():
    text = " ".join(f"w{at}" for at in range(40))
    score = {kind: BaselineScorer(kind, 1).score("", [text], None, rate=0.5)[0].scores for kind in BASELINES}
    assert (np.diff(score["first-words"]) < 0).all()
    assert len(set(score["random"])) == 40
    assert [len(set(score["random-spans"][at : at + 9])) for at in (0, 9, 18, 27)] == [1] * 4


def test_a_question_is_scored_once_for_all_rates():
    class Spy(BaselineScorer):
        def score(self, *given, **rate):
            calls.append(given)
            return super().score(*given, **rate)

    calls = []
    scorer = Remembering(Spy("random", 0))
    found = [scorer.score("q", ["a b"], None, rate=rate) for rate in (0.5, 0.1)]
    assert found[0] is found[1]
    assert scorer.reused_s == scorer.cpu_s > 0
    scorer.score("r", ["a b"], None, rate=0.1)
    assert (len(calls), scorer.reused_s) == (2, 0)


def test_the_published_package_is_left_out_with_a_reason_where_it_is_not_installed(questions, tmp_path):
    options = options_of("--peers", str(tmp_path))
    options.data, options.cases = [questions], "llmlingua@0.5"
    report = Report("compress", None)
    compress.run(options, report)
    assert report.results == []
    assert "make peers" in report.notes["town", "llmlingua@0.5"]


def test_words_of_the_published_package_are_found_by_their_spelling():
    assert published.places_of("Ada's Cat", ["ada", "'", "s", "cat"]).tolist() == [
        [0, 3],
        [3, 4],
        [4, 5],
        [6, 9],
    ]
