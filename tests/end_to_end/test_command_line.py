"""The command line without a server: what it prints, and nothing beside it."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.model


def excerpta(*words, **options):
    command = [sys.executable, "-m", "excerpta.cli", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, **options
    )


def test_index_search_and_verify_print_json_alone(tmp_path, handbook, models_dir, small_models):
    (tmp_path / "models").symlink_to(models_dir / "models")
    where = ("-c", "handbook", "--data", tmp_path, "--json")
    indexed = excerpta("index", handbook, *where)
    assert json.loads(indexed.stdout)["state"] == "succeeded", indexed.stderr
    found = json.loads(excerpta("search", "Who approves travel?", *where).stdout)
    assert found["hits"][0]["document_id"] == "travel.md"
    assert json.loads(excerpta("verify", *where).stdout) == {"corrupt": []}


def test_a_collection_goes_from_one_directory_to_another(tmp_path, handbook, models_dir, small_models):
    for data in ("here", "there"):
        (tmp_path / data).mkdir()
        (tmp_path / data / "models").symlink_to(models_dir / "models")
    assert (
        excerpta("index", handbook, "-c", "handbook", "--data", tmp_path / "here", "--json").returncode == 0
    )
    done = excerpta("export", "handbook", tmp_path / "h.tar", "--data", tmp_path / "here")
    assert (done.returncode, done.stderr) == (0, "")
    done = excerpta("import", tmp_path / "h.tar", "--name", "other", "--data", tmp_path / "there")
    assert done.returncode == 0, done.stderr
    hits = []
    for data, name in (("here", "handbook"), ("there", "other")):
        found = excerpta("search", "Who approves travel?", "-c", name, "--data", tmp_path / data, "--json")
        hits.append([(hit["passage_id"], hit["scores"]) for hit in json.loads(found.stdout)["hits"]])
    assert hits[0] == hits[1]
    assert hits[0][0][0].startswith("travel.md")


def test_errors_are_one_line_with_a_remedy(tmp_path, models_dir, small_models):
    (tmp_path / "models").symlink_to(models_dir / "models")
    done = excerpta("search", "x", "-c", "nowhere", "--data", tmp_path)
    assert done.returncode == 1
    assert "there is no collection 'nowhere'" in done.stderr.replace("\n", " ")
    assert done.stdout == ""
    refused = excerpta("search", "x", "-c", "c", "--filter", "{year")
    assert refused.returncode == 2
    assert "--filter" in refused.stderr
