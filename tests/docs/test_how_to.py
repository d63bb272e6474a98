"""The how-to pages, run as they stand, with tiny random networks; the words of an answer mean nothing here."""

import re

import pytest

from tests.support import ROOT

FOLDER = ROOT / "docs" / "how-to"
# Pages whose programs are changes of the tree have tests of their own.
PAGES = sorted(page for page in FOLDER.glob("*.md") if "```python\n" in page.read_text("utf-8"))
LONG = ("chat",)
"""Pages that write many answers."""


def _calls(page):
    return set(re.findall(r"\.\w+\(", page.read_text("utf-8")))


def run_by(page):
    """The page as a test; uploaded files are read in a child process."""
    marks = [pytest.mark.process] if {".ingest(", ".sync("} & _calls(page) else []
    marks += [pytest.mark.long] if page.stem in LONG else []
    return pytest.param(page, id=page.stem, marks=marks)


@pytest.mark.parametrize("page", [run_by(page) for page in PAGES])
def test_a_page_runs_as_one_program(page, tiny_profile, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert blocks
    monkeypatch.setenv("EXCERPTA_PROFILE", str(tiny_profile))
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), page.name, "exec"), {})
