"""The pages in docs/: their links lead somewhere, and each index lists all its pages."""

import re

import pytest

from tests.support import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
INDEXES = [page for page in PAGES if page.name == "README.md" and page.parent != ROOT]


def _links(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    found = (link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text))
    return [link for link in found if link and "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    missing = [link for link in _links(page) if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("index", INDEXES, ids=lambda page: page.parent.name)
def test_an_index_lists_all_pages_beside_it(index):
    beside = {page.name for page in index.parent.glob("*.md")} - {"README.md"}
    assert beside <= set(_links(index))
