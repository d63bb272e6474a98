"""How often a question runs the language model, and what the benchmark says about it."""

from __future__ import annotations

import pytest
from excerpta.types.retrieve import Ngrams

from benchmarks.ngrams.writing import Asking, counted
from benchmarks.report import Report
from models.networks.language_model import LanguageModel
from models.networks.ngram_writer import NgramWriter
from retrieval.ngrams import LanguageVocabulary, search_ngrams
from retrieval.ngrams.prompt import writer
from tests.support.ngram_corpora import PASSAGES, build

QUESTION = "Who became the first ruler of Normandy?"
_MOST_PASSES = 12


@pytest.mark.parametrize("beams", [0, 1, Ngrams().beams, 15])
def test_a_question_takes_one_forward_call_a_token(
    tiny_lm: LanguageModel, vocabulary: LanguageVocabulary, beams: int
) -> None:
    options = Ngrams()
    index = build(vocabulary.tokenize(PASSAGES), vocabulary.size)
    writer(tiny_lm)
    with counted(tiny_lm.model) as calls:
        search_ngrams(
            tiny_lm, vocabulary, [index], [0], QUESTION, limit=10, beams=beams, length=options.length
        )
    assert calls.count <= options.length <= _MOST_PASSES
    assert (calls.count > 1) == (beams > 0)


def test_the_benchmark_measures_whole_questions(
    tiny_lm: LanguageModel, vocabulary: LanguageVocabulary
) -> None:
    index = build(vocabulary.tokenize(PASSAGES), vocabulary.size)
    report = Report("ngrams", None)
    asking = Asking(NgramWriter(tiny_lm, examples=True), vocabulary, index, [QUESTION, "Who?"], 4)
    asking.ask(3, "tiny", report)
    measured = {result.metric: result.value for result in report.results}
    assert {result.case for result in report.results} == {"beams@3"}
    assert 1 < measured["forward_passes"] <= 4
    assert 0 < measured["index_share"] < 1
    assert measured["query_ms_p50"] > 0
    assert measured["step_cpu_ms"] > 0
    assert measured["written"] > 0
