"""`benchmarks compress`: answers that survive, kept words against labels, both beside random words."""

import argparse
import json

import numpy as np
import pytest

from benchmarks import compress
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
    options.data, options.cases, options.texts = [questions, labels], "lexical@0.5,random@0.5", 3
    report = Report("compress", None)
    compress.run(options, report)
    found = {(one.data, one.case, one.metric): one.value for one in report.results}
    for case in ("lexical@0.5", "random@0.5"):
        for data, metric in (("town", "retention"), ("labels", "f1")):
            assert 0 <= found[data, case, metric] <= 1
            assert found[data, case, "kept"] <= 0.5
            assert found[data, case, "tokens_per_cpu_s"] > 0
    assert found["town", "lexical@0.5", "retention"] == 1.0


def test_the_methods_that_the_profile_can_run_are_the_default_cases():
    names = {compress.case_of(case)[0] for case in compress.default_cases({"lm"})}
    assert names == {name for name, one in CATALOGUE.items() if one.needs <= {"lm"}} | {"random"}


@pytest.mark.parametrize("case", ["lexical", "lexical@", "lexical@1", "lexical@x", "magic@0.5"])
def test_cases_that_are_none(case):
    with pytest.raises(SystemExit, match="no case"):
        compress.case_of(case)


def test_f1_by_hand():
    texts = [join([Sentence(["a", "bc", "d"], [1, 1, 0])])]
    kept = [Compressed(((2, 6),), "bc d", 3, 2)]
    assert compress.keep_f1(lambda query, given: kept, texts) == pytest.approx(2 * 1 / (2 + 2))
    assert compress.inside(np.array([[0, 1], [2, 4], [3, 7]]), ((2, 6),)).tolist() == [False, True, False]
