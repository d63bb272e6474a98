"""Code and configuration are one text: their comments are no headings."""

import pytest

from retrieval.corpus import Chunker, load_file
from retrieval.corpus.headings import find_headings

NGINX = (
    "# main config\nworker_processes 4;\n# events\nevents { worker_connections 1024; }\n# gzip\ngzip on;\n"
)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("nginx.conf", NGINX),
        ("run.sh", "#!/bin/sh\n# stop\nexit 1\n"),
        ("run", "#!/usr/bin/env python3\n# stop\nexit()\n"),
        ("a.py", "# eins\nx = 1\n## zwei\n"),
        ("values.yaml", "# 数据库\nhost: db\n# порт\nport: 1\n"),
        ("pyproject.toml", "# tools\n[tool]\n"),
        ("setup.ini", "# a\n[a]\n"),
        ("docker/Dockerfile", "# base\nFROM x\n# run\nRUN y\n"),
        ("app.log", "# Fields: date time\n2024-01-01 started\n"),
    ],
)
def test_comments_are_no_headings(name, source, tokenize):
    (document,) = load_file(name, source.encode())
    assert not find_headings(document.text)
    assert source.strip() in document.text
    assert len(Chunker(tokenize).split(document)) == 1


def test_text_keeps_its_headings():
    (document,) = load_file("a.txt", b"# Set-up\nRun it.\n")
    assert [heading.title for heading in find_headings(document.text)] == ["Set-up"]
    (log,) = load_file("a.log", b"2024-01-01 started\n")
    assert log.text == "2024-01-01 started\n"
