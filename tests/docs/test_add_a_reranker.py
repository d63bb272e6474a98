"""What the page "How to add a reranker" says is done in a copy of the tree; then the method works everywhere."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-reranker.md"
PACKAGES = (
    "base",
    "models",
    "retrieval",
    "rerank",
    "compress",
    "context",
    "api",
    "migrations",
    "sdk",
    "tests",
)
BLOCK = re.compile(r"```python file=(\S+)(?: (\w+))?\n(.*?)```", re.DOTALL)

USE = """
import json, sys
from excerpta import Client
from excerpta.types.rerank import Overlap

with Client.local(sys.argv[1]) as client:
    client.collections.create("c").add([
        {"id": "a", "text": "Bread needs flour."}, {"id": "b", "text": "The moon pulls the sea into tides."},
    ])
    collection = client.collections.get("c")
    plan = {"base": "fast", "rerank": Overlap(words=9)}
    hits = collection.search("Which moon pulls tides?", plan=plan).hits
    assert hits[0].document_id == "b", hits
    assert hits[0].scores["rerank"]
    hits = collection.search("Which moon pulls tides?", plan={"base": "fast", "rerank": {"method": "overlap"}}).hits
    assert hits[0].document_id == "b", hits
    assert "overlap" in [one.name for one in client.methods().methods]
    assert client.rerank("moon", ["bread", "the moon"], method="overlap")[0]["index"] == 1
    try:
        collection.search("x", plan={"rerank": {"method": "overlap", "wrds": 1}})
    except Exception as error:
        assert "words" in str(error), error
    else:
        raise AssertionError("an unknown option was taken")
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree with the page's three changes."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    changes = BLOCK.findall(PAGE.read_text("utf-8"))
    assert [how for _, how, _ in changes] == ["append", "", "catalogue"]
    for name, how, text in changes:
        file = copy / name
        if how == "append":
            file.write_text(file.read_text("utf-8") + "\n\n" + text, "utf-8")
        elif how == "catalogue":
            lines = re.sub(r"\n\)\n$", "\n" + text + ")\n", file.read_text("utf-8"))
            file.write_text(
                lines.replace("rerank.methods import ", "rerank.methods import overlap, "), "utf-8"
            )
        else:
            assert len(text.splitlines()) <= 30
            file.write_text(text, "utf-8")
    return copy


@pytest.fixture
def run(tree, tmp_path, tiny_profile):
    def run(*command):
        env = os.environ | {
            "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'sdk'}",
            "EXCERPTA_PROFILE": str(tiny_profile),
        }
        done = subprocess.run(
            [sys.executable, *command], cwd=tree, env=env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.process
def test_the_method_answers_over_http_and_in_the_client(run, tmp_path):
    run("-c", USE, str(tmp_path / "data"))


@pytest.mark.process
def test_the_method_is_in_the_help_and_in_the_documents(run):
    assert "overlap" in run("-m", "excerpta.cli", "ask", "--help")
    page = "from api.commands.methods_page import rendered; print(rendered())"
    assert "rerank/methods/overlap.py" in run("-c", page)
    document = "from api.commands.openapi import rendered; print(rendered())"
    assert "RerankOverlap" in run("-c", document)


@pytest.mark.process
def test_the_contract_runs_over_the_method(run):
    shown = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "overlap", "tests/rerank/test_contract.py", "-v"
    )
    assert " 16 passed" in shown
