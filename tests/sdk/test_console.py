"""What the commands print for people."""

from io import StringIO

import pytest
from excerpta.cli import console, hits
from excerpta.types import Answer, QueryReply, Usage
from rich.console import Console


@pytest.fixture
def printed(monkeypatch):
    """Prints an answer, and returns the text."""

    def run(*, supported, warnings=()):
        out = Console(record=True, width=200, file=StringIO())
        for module in (console, hits):
            monkeypatch.setattr(module, "out", out)
        answer = Answer(text="It is 1234.", supported=supported, finish_reason="stop", citations=[])
        hits.print_answer(
            QueryReply(
                id="qry_1",
                index_version={"c": 1},
                profile="small",
                partial=False,
                warnings=list(warnings),
                hits=[],
                answer=answer,
                usage=Usage(),
                timings_ms={"total": 1.0},
            )
        )
        return out.export_text()

    return run


def test_an_unsupported_answer_has_a_sign(printed):
    assert "no passage supports it" in printed(supported=False)
    assert "no passage supports it" not in printed(supported=True)


def test_warnings_are_printed(printed):
    assert "read in part" in printed(supported=True, warnings=["the question was read in part"])
