"""Rows, items and short code stay in one passage, and rows of a Markdown table keep their header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import Chunker
from retrieval.corpus.blocks import Code, Heading, Item, Paragraph, Table
from retrieval.corpus.units import layout
from retrieval.corpus.writer import write
from retrieval.types import Document, Mark

ROWS = [
    [f"PPR-{number}", "A bolt. It fits all frames, no. 5 too.", f"{number}.25"] for number in range(100, 140)
]


def split(tokenize, text, marks=(), tokens=60):
    return Chunker(tokenize, passage_tokens=tokens, overlap_tokens=0).split(Document("d", text, marks=marks))


def test_a_row_is_never_cut_and_each_names_its_columns(tokenize):
    written = write([Paragraph("Prices of this year."), Table(ROWS, ["sku", "about", "price"])])
    passages = split(tokenize, written.text, written.marks)
    assert len(passages) > 5
    for passage in passages:
        lines = passage.text.splitlines()
        assert all(
            line.startswith(("sku: ", "Prices")) and line.endswith((".25", "year.")) for line in lines if line
        )
        rows = [mark.number for mark in passage.marks]
        assert rows == list(range(rows[0], rows[0] + len(rows)))
        assert [f"PPR-{99 + row};" in passage.text for row in rows] == [True] * len(rows)


def test_rows_of_a_markdown_table_carry_its_header(tokenize):
    table = "\n".join(f"| team {number} | {number * 10} |" for number in range(1, 60))
    text = f"# Limits\n\nEach team has one.\n\n| team | requests per minute |\n|---|---|\n{table}\n\nThe end."
    passages = split(tokenize, text)
    for passage in passages:
        assert (
            "requests per minute" in passage.text
            or "team | requests per minute" in passage.heading
            or ("| team" not in passage.text)
        )
        assert all(line.endswith("|") for line in passage.text.split("\n") if line.startswith("|"))
    assert sum("requests" in passage.heading for passage in passages) > 3
    assert "requests" not in passages[0].heading


def test_rows_of_a_table_longer_than_a_passage_are_passages_under_its_caption(tokenize):
    blocks = [
        Heading("Shop", 1),
        Paragraph("Prices of this year."),
        Table(ROWS, ["sku", "about", "price"]),
        Paragraph("The end."),
    ]
    written = write(blocks)
    first, second, *_, row, last = split(tokenize, written.text, written.marks)
    assert first.text.startswith("# Shop\n\nPrices of this year.\n\nsku: PPR-100; ")
    assert (second.text[:12], second.heading) == ("sku: PPR-101", "Shop > Prices of this year.")
    assert (row.text[:12], [mark.number for mark in row.marks]) == ("sku: PPR-139", [40])
    assert (last.text, last.heading) == ("The end.", "Shop")


def test_a_table_that_fits_a_passage_stays_in_one(tokenize):
    written = write([Paragraph("Prices."), Table(ROWS[:2], ["sku", "about", "price"]), Paragraph("The end.")])
    (whole,) = split(tokenize, written.text, written.marks, tokens=200)
    assert whole.text == written.text


def test_text_above_a_long_table_that_is_no_caption_is_a_passage_of_its_own(tokenize):
    text = "These prices hold until the end of the year. " * 3
    written = write([Paragraph(text), Table(ROWS, ["sku", "about", "price"])])
    first, second, *_ = split(tokenize, written.text, written.marks)
    assert first.text == text.strip()
    assert (second.text[:12], second.heading) == ("sku: PPR-100", "")


@pytest.mark.parametrize(
    ("identity", "title", "heading"),
    [
        ("web/http-status.csv#3", "", "http status"),
        ("web/http-status.csv#3", "Not Found", "http status"),
        ("web/http-status.csv", "", "http status"),
        ("web/http-status.csv", "Codes", ""),
        ("posted", "", ""),
    ],
)
def test_passages_of_a_file_stand_under_its_name_where_no_title_says_it(tokenize, identity, title, heading):
    document = Document(identity, "code: 404", title, {"source": "web/http-status.csv"})
    (passage,) = Chunker(tokenize, passage_tokens=60, overlap_tokens=0).split(document)
    assert passage.heading == heading


def test_a_file_named_as_its_heading_does_not_stand_twice(tokenize):
    document = Document("timetable.md", "# Timetable\n\nIC 337", "", {"source": "timetable.md"})
    (passage,) = Chunker(tokenize, passage_tokens=60, overlap_tokens=0).split(document)
    assert passage.heading == "Timetable"


def test_an_item_of_two_sentences_stays_whole(tokenize):
    items = [Item(f"Step {number} is short. Then wait for it.\n", f"{number}.") for number in range(1, 30)]
    passages = split(tokenize, write(items).text, tokens=30)
    assert len(passages) > 5
    assert all(passage.text[0].isdigit() and passage.text.endswith("for it.") for passage in passages)


def test_functions_of_long_code_stay_whole(tokenize):
    code = "\n\n".join(f"def f{n}(a):\n    b = a. It(n)\n\n    return b" for n in range(20))
    passages = split(tokenize, write([Code(code, "python")]).text)
    assert len(passages) > 2
    assert all(passage.text.count("def ") == passage.text.count("return ") for passage in passages)


def test_a_row_over_the_budget_is_cut_and_loses_nothing(tokenize):
    written = write([Table([["word " * 200, "x"]], ["long", "short"])])
    passages = split(tokenize, written.text, written.marks)
    assert len(passages) > 2
    assert " ".join(passage.text for passage in passages).split() == written.text.split()
    assert all(passage.marks[0].number == 1 for passage in passages)


@given(
    st.lists(
        st.sampled_from(["| a |", "|-|", "- i", "1. i", "```", "text.", "", "  more", "# h", "\t- k"]),
        max_size=25,
    ),
    st.integers(0, 40),
)
def test_units_are_apart_in_order_and_within_lines(lines, most):
    text = "\n".join(lines)
    found = layout(
        text, [Mark("row", 1, 0, len(lines[0]))] if lines and lines[0] else [], lambda a, b: b - a <= most
    )
    assert all(start < end <= len(text) for start, end in found.units)
    assert all(a[1] <= b[0] for a, b in zip(found.units, found.units[1:], strict=False))
    for start, end in found.units:
        assert start == 0 or text[start - 1] == "\n"
        assert end == len(text) or text[end] == "\n"
