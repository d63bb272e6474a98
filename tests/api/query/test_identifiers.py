"""Identifiers over HTTP: found, shown and taken as evidence however they are spelled."""

import pytest

from api.query.evidence import weigh
from tests.api.query.test_listing import search

ROWS = [
    {
        "id": f"row-{number}",
        "text": f"sku: PPR-{number}; name: {name} {size}\u00a0mm; stock: 1{size},000; change: {change}",
    }
    for number, name, size, change in [
        (9087, "Check valve", 10, "−5 %"),
        (1044, "Ball valve", 12, "5 %"),
        (1777, "Gate valve", 15, "7 %"),
        (9078, "Float switch", 20, "3 %"),
    ]
]
DEFAULT = {"base": "fast"}


@pytest.fixture(scope="module")
async def api(module_api):
    """An application with one table of parts."""
    await module_api.made()
    await module_api.put(*ROWS)
    return module_api


def shown(hit):
    """The characters of a hit that are highlighted as words of the question."""
    return [hit["text"][slice(*one["at"])] for one in hit["highlights"] if one["by"] == "words"]


@pytest.mark.parametrize(
    ("question", "mark"),
    [
        ("PPR9087", "PPR-9087"),
        ("ppr 9087", "PPR-9087"),
        ("ＰＰＲ－９０８７", "PPR-9087"),
        ("PPR‑90\u200b87", "PPR-9087"),
        ("10mm", "10\u00a0mm"),
        ("110000", "110,000"),
        ("-5 %", "−5"),
    ],
)
async def test_a_row_is_first_and_its_own_characters_are_marked(api, question, mark):
    reply = await search(api, question, highlight=True)
    first = reply["hits"][0]
    assert first["document_id"] == "row-9087"
    assert mark in shown(first)


async def test_the_default_plan_finds_the_number_first(api):
    for row in ROWS:
        number = row["id"].removeprefix("row-")
        for question in (f"PPR{number}", f"stock of ppr {number}", f"What does PPR_{number} cost?"):
            reply = await search(api, question, plan=DEFAULT)
            assert reply["hits"][0]["document_id"] == row["id"], question


@pytest.mark.parametrize(
    ("question", "passage", "share"),
    [
        ("PPR9087", "The PPR-9087 is a valve.", 1.0),
        ("PPR 9087", "The PPR9087 is a valve.", 1.0),
        ("1,000,000", "A population of 1 000 000.", 1.0),
        ("get user name", "Call getUserName().", 1.0),
        ("PPR9087", "The PPR-1044 is a valve.", 0.0),
    ],
)
def test_another_spelling_is_evidence(question, passage, share):
    found = weigh(question, [passage], similarities=[0.9], frequency=lambda term: 1, total=9)
    assert found.coverage == pytest.approx(share)
    assert found.supported == (share > 0)
