"""The command line's options about the list of hits, and how a list is printed, without a server."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from excerpta.cli import commands
from excerpta.types import Facet, Group, GroupedPassage, Highlight, Hit, QueryReply, Usage
from excerpta.types.listing import FacetValue

TEXT = "Intro. " * 20 + "Travel is\napproved by finance."


def reply():
    start = TEXT.index("Travel")
    hit = Hit(
        passage_id="doc:3",
        document_id="doc",
        collection="c",
        title="",
        heading="",
        text=TEXT,
        span=(100, 100 + len(TEXT)),
        metadata={},
        score=0.5,
        scores={},
        group=Group(
            by="text",
            others=4,
            passages=[
                GroupedPassage(
                    passage_id="o:0", document_id="o", collection="c", title="", span=(0, 9), score=0.4
                )
            ],
        ),
        highlights=[
            Highlight(start=100 + start, end=106 + start, at=(start, start + 6), by="words", query="travel")
        ],
    )
    facet = Facet(documents=9, distinct=3, values=[FacetValue(value="[sea]", count=5)])
    return QueryReply(
        id="qry",
        index_version={},
        profile="",
        partial=False,
        warnings=[],
        hits=[hit],
        answer=None,
        usage=Usage(),
        timings_ms={},
        facets={"team": facet},
    )


@pytest.fixture
def run(monkeypatch):
    """Runs a command; returns what it printed and what it asked the client for."""
    asked = {}

    class Client:
        collections = property(lambda self: self)

        def get(self, name):
            return self

        def ask(self, query, **options):
            asked.update(options)
            return reply()

        search = ask

    @contextmanager
    def connect(**server):
        yield Client()

    monkeypatch.setattr(commands, "connect", connect)

    def run(*words):
        asked.clear()
        done = CliRunner().invoke(commands.group, words, env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output, dict(asked)

    return run


def test_options_about_the_list_are_passed_on(run):
    words = ("--group-by", "none", "--facet", "a", "--facet", "b", "--min-score", "0.5", "--highlight")
    expected = {"group_by": None, "facets": ["a", "b"], "min_score": 0.5, "highlight": True}
    _, asked = run("search", "-c", "c", "travel", "--offset", "20", *words)
    assert asked.items() >= {"offset": 20, **expected}.items()
    _, asked = run("ask", "-c", "c", "travel", *words)
    assert asked.items() >= expected.items()
    _, asked = run("search", "-c", "c", "travel", "--group-by", "team")
    assert asked["group_by"] == "team"
    assert "group_by" not in run("search", "-c", "c", "travel")[1]


def test_a_list_shows_ranks_groups_facets_and_the_matched_part(run):
    printed, _ = run("search", "-c", "c", "travel", "--offset", "20")
    (row,) = [line for line in printed.splitlines() if "doc:3" in line]
    assert row.split()[0] == "21"
    assert "and 4 more" in row
    assert row.rstrip().endswith("Travel is approved by finance.")
    assert "team: [sea] (5), and 2 more values" in printed
