"""Sets in BEIR layout are read as they are written, and samples are the same ones every time."""

import pytest

from evaluation.beir import judgments, load, load_questions, relevant_documents, split_file
from tests.support.beir_sets import tides, write_beir


def test_documents_carry_the_name_of_their_set(tmp_path):
    data = load(tides(tmp_path / "tides"))
    assert [one.id for one in data.documents] == ["tides/moon", "tides/money", "tides/magma"]
    assert data.qrels == {"q1": {"tides/magma": 1, "tides/moon": 0}, "q2": {"tides/money": 2}}
    assert list(data.queries) == ["q1", "q2"]


def test_questions_alone_name_documents_as_they_are_and_need_no_corpus(tmp_path):
    directory = tides(tmp_path / "tides")
    (directory / "corpus.jsonl").unlink()
    data = load_questions(directory, "dev")
    assert data.documents == []
    assert data.queries == {"q2": "who may approve travel finance"}
    assert data.qrels == {"q2": {"moon": 1}}


def test_a_document_without_words_is_left_out(tmp_path):
    documents = [{"_id": "a", "text": " \n"}, {"_id": "b", "text": "words"}]
    directory = write_beir(
        tmp_path / "set", documents, [{"_id": "q", "text": "?"}], {"test": [("q", "b", 1)]}
    )
    assert [one.id for one in load(directory).documents] == ["set/b"]


def test_only_positive_grades_are_relevant(tmp_path):
    file = split_file(tides(tmp_path / "tides"))
    assert file.stem == "test"
    assert judgments(file)["q1"] == {"magma": 1, "moon": 0}
    assert relevant_documents(file) == {"q1": ["magma"], "q2": ["money"]}


def test_a_sample_is_decided_by_its_seed(tmp_path):
    queries = [{"_id": f"q{at}", "text": f"question {at}"} for at in range(30)]
    judged = [(f"q{at}", "d", 1) for at in range(30)]
    directory = write_beir(tmp_path / "set", [{"_id": "d", "text": "words"}], queries, {"test": judged})
    first = load(directory, sample=5, seed=1)
    assert len(first.queries) == 5
    assert first.queries.keys() == first.qrels.keys()
    assert load(directory, sample=5, seed=1).queries == first.queries
    assert load(directory, sample=5, seed=2).queries != first.queries
    assert len(load(directory, sample=50).queries) == 30


def test_a_missing_split_names_those_there_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="dev, test"):
        load(tides(tmp_path / "tides"), "train")
