"""Titles above a table and notes below it are neither names of columns nor rows, also with a comma in them."""

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.types import Document

ROWS = ["sku: A; name: valve; price: 5", "sku: B; name: pump; price: 7"]


def read(text, name="t.csv"):
    found = list(load_file(name, text.encode()))
    return [one for one in found if isinstance(one, Document)], [
        one.text for one in found if isinstance(one, Remark)
    ]


@pytest.mark.parametrize(
    "above",
    [
        "Prices, 2024\n",
        "Prices, 2024\nValid from May, all regions, in EUR\n",
        "Prices, 2024\n\nOne, two\n\n",
        "Prices of all parts, as of May, in Oslo\n",
        '"Prices, 2024",,\n',
        "Prices, 2024, in EUR\n",
    ],
)
def test_a_title_with_the_delimiter_is_no_header(above):
    documents, remarks = read(f"{above}sku,name,price\nA,valve,5\nB,pump,7\n")
    assert [one.text for one in documents] == ROWS
    title = above.split("\n")[0].strip('",')
    assert f"begins below '{title}" in remarks[0]
    assert documents[0].title.startswith(title)


def test_a_title_as_wide_as_the_table():
    documents, remarks = read("Prices, 2024\nsku,price\nA,5\nB,7\n")
    assert [one.text for one in documents] == ["sku: A; price: 5", "sku: B; price: 7"]
    assert "'Prices, 2024'" in remarks[0]


def test_a_line_above_that_may_be_a_row_is_a_document():
    documents, _ = read("Prices,2024\nsku,price\nA,5\nB,7\n")
    assert [one.text for one in documents] == ["Prices,2024", "sku: A; price: 5", "sku: B; price: 7"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_a_line_that_names_the_delimiter_is_neither_title_nor_row(delimiter):
    rows = "\n".join(delimiter.join(row) for row in [["sku", "price"], ["A", "12.50"], ["B", "7"]])
    documents, remarks = read(f"sep={delimiter}\nPreise{delimiter} 2024\n{rows}\n")
    assert [one.text for one in documents] == ["sku: A; price: 12.50", "sku: B; price: 7"]
    assert len(remarks) == 1


@pytest.mark.parametrize(
    "below",
    [
        "\nSource: Statistics Norway, 2024\n",
        "* without tax\n",
        "All prices are without tax and shipping.\n",
        "\nNote: valves, pumps\nThe second line of it\n",
        '"1) in Oslo",,\n',
        "\nQuelle: Amt; Stand Mai\n",
    ],
)
def test_notes_below_a_table_are_read_as_they_are(below):
    documents, remarks = read(f"sku,name,price\nA,valve,5\nB,pump,7\n{below}")
    lines = [line.strip('",') for line in below.strip().split("\n")]
    assert [one.text for one in documents] == [*ROWS, *lines]
    assert "read as notes" in remarks[0]
    assert documents[0].metadata["price"] == 5


def test_a_short_row_between_rows_is_a_row():
    documents, _ = read("sku,name,price\nA,valve,5\nB\nC,pump,7\n")
    assert [one.text for one in documents] == [ROWS[0], "sku: B", "sku: C; name: pump; price: 7"]


def test_a_last_row_without_some_values_is_a_row():
    documents, _ = read("sku,name,price\nA,valve,5\nB\n")
    assert documents[1].metadata["sku"] == "B"


def test_cells_beyond_the_header_are_metadata_too():
    (one, two, three), remarks = read("sku,n\nA,1,extra,12\nB,2\nC,3,,15\n")
    assert one.text == "sku: A; n: 1; extra; 12"
    assert one.metadata == {"source": "t.csv", "sku": "A", "n": 1, "column_3": "extra", "column_4": 12}
    assert three.metadata["column_4"] == 15
    assert "column_3" not in two.metadata
    assert "rows 1, 3;" in remarks[0]
