"""The how-to pages, run as they stand, with tiny random networks; the words of an answer mean nothing here."""

import re

import pytest

from tests.support import ROOT

FOLDER = ROOT / "docs" / "how-to"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_as_one_program(page, tiny_profile, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert blocks
    monkeypatch.setenv("EXCERPTA_PROFILE", str(tiny_profile))
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), page.name, "exec"), {})
