"""`excerpta evaluate` from its options to its table and its JSON."""

import json

import pytest

from evaluation.command import main
from tests.support.beir_sets import tides, write_beir

LEXICAL = '{"retrieve": {"tokens": null, "ngrams": null}, "rerank": null}'


def test_plans_are_measured_beside_each_other(tmp_path, tiny_profile, capsys):
    out = tmp_path / "out.jsonl"
    options = ["--profile", str(tiny_profile), "--plan", LEXICAL, "--plan", "fast", "--json", str(out)]
    options += ["--data", str(tmp_path / "home")]
    assert main([str(tides(tmp_path / "tides")), *options]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["plan"] for row in rows] == [json.loads(LEXICAL), "fast"]
    assert rows[0]["scores"]["ndcg@10"] == 1.0
    assert rows[0]["queries"] == 2
    assert "encode" not in rows[0]["stage_ms_p50"]
    assert "encode" in rows[1]["stage_ms_p50"]
    assert "ndcg@10" in capsys.readouterr().out


def test_questions_are_asked_to_a_collection_that_is_there(tmp_path, tiny_profile):
    home, out = tmp_path / "home", tmp_path / "out.jsonl"
    common = ["--profile", str(tiny_profile), "--plan", LEXICAL, "--data", str(home), "--json", str(out)]
    assert main([str(tides(tmp_path / "tides")), *common]) == 0
    questions = write_beir(
        tmp_path / "ours", [], [{"_id": "a", "text": "magma"}], {"dev": [("a", "tides/magma", 1)]}
    )
    (questions / "corpus.jsonl").unlink()
    assert main([str(questions), "--collection", "tides-200", *common]) == 0
    row = json.loads(out.read_text().splitlines()[-1])
    assert (row["set"], row["scores"]["hits@1"]) == ("ours", 1.0)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["absent"], "qrels/SPLIT.tsv"),
        (["tides", "--collection", "none"], "none"),
        (["tides", "--split", "x"], "dev"),
    ],
)
def test_faults_name_the_remedy(tmp_path, tiny_profile, capsys, monkeypatch, options, remedy):
    tides(tmp_path / "tides")
    monkeypatch.chdir(tmp_path)
    assert main([*options, "--profile", str(tiny_profile), "--data", "home"]) == 2
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize(
    ("plan", "remedy"),
    [
        ('{"rerank": ', "not JSON"),
        ('{"rerank": {"window": 3}}', "`window`"),
        ('{"rerank": 3}', "rerank"),
        ("fastest", "balanced"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_before_anything_is_indexed(
    tmp_path, tiny_profile, capsys, plan, remedy
):
    tides(tmp_path / "tides")
    options = ["--profile", str(tiny_profile), "--data", str(tmp_path / "home"), "--plan", plan]
    assert main([str(tmp_path / "tides"), *options]) == 2
    assert remedy in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_set_without_judged_queries_is_refused(tmp_path, tiny_profile, capsys):
    empty = write_beir(tmp_path / "empty", [{"_id": "d", "text": "words"}], [], {"test": [("q", "d", 1)]})
    assert main([str(empty), "--profile", str(tiny_profile)]) == 2
    assert "no query" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "excerpta evaluate DATA/scifact --plan fast --plan best" in capsys.readouterr().out
