"""The command line without a server: what it prints, and nothing beside it."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.real_model


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


def test_errors_are_one_line_with_a_remedy(tmp_path, models_dir, small_models):
    (tmp_path / "models").symlink_to(models_dir / "models")
    done = excerpta("search", "x", "-c", "nowhere", "--data", tmp_path)
    assert done.returncode == 1
    assert "there is no collection 'nowhere'" in done.stderr.replace("\n", " ")
    assert done.stdout == ""
    refused = excerpta("search", "x", "-c", "c", "--filter", "{year")
    assert refused.returncode == 2
    assert "--filter" in refused.stderr
