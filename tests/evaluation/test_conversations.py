"""Conversations made from a data set: reproducible, of every kind, with the passage that answers."""

from __future__ import annotations

import json

import pytest

from evaluation.conversations import KINDS, make, read, write

ARTICLES = {
    "Oslo": ["Norway", "the city council", "Oslo Fjord"],
    "Rome": ["Italy", "the senate", "Tiber"],
    "Lima": ["Peru", "the mayor", "Rimac"],
}


@pytest.fixture
def folder(tmp_path):
    passages, queries, judged = [], [], []
    for number, (name, (country, who, water)) in enumerate(ARTICLES.items()):
        passages.append(
            {"_id": str(number), "title": name, "text": f"{name} lies in {country}, by the {water}."}
        )
        asked = [
            (f"In which country does {name} lie?", country),
            (f"Who has governed {name} in 1900?", who),
            (f"What is the longest river of all in {name}?", water),
            (f"What is the longest river of all in {country}?", water),
            (f"Which water flows through {name} in spring?", water),
            (f"Who is the president that {country} has in 1990?", who),
        ]
        for place, (text, answer) in enumerate(asked):
            identity = f"{number}-{place}"
            queries.append({"_id": identity, "text": text, "answers": [answer]})
            judged.append(f"{identity}\t{number}\t1")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, passages)))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels" / "dev.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]))
    return tmp_path


def test_every_kind_is_made_and_a_run_makes_them_again(folder, tmp_path):
    made = make([folder], 10)
    assert {one.kind for one in made} == set(KINDS)
    assert made == make([folder], 10)
    assert made != make([folder], 10, seed=1)
    write(made, tmp_path / "out" / "conversations.jsonl")
    assert read(tmp_path / "out" / "conversations.jsonl") == made


def test_a_follow_up_leaves_out_what_its_question_has(folder):
    for one in make([folder], 10):
        assert one.turns[0][0] == "user"
        assert one.turns[-1][0] == "assistant"
        (passage,) = one.relevant
        assert passage.startswith(f"{folder.name}/")
        if one.kind == "shift":
            assert one.follow_up == one.alone
        else:
            assert one.follow_up != one.alone
            assert len(one.follow_up) < len(one.alone) + 5
        assert len(one.turns) == (4 if one.kind == "third" else 2)
