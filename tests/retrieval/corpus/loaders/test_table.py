"""Every cell of a table is in its row's text under its own column's name, and is metadata for filters."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document, Mark


def read(data, name="t.csv"):
    found = list(load_file(name, data if isinstance(data, bytes) else data.encode()))
    return [one for one in found if isinstance(one, Document)], [
        one.text for one in found if isinstance(one, Remark)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_all_cells_are_searched_whatever_parts_them(delimiter):
    rows = [
        ["sku", "name", "price", "stock"],
        ["PPR-9087", "Check valve", "12.50", "4"],
        ["PPR-1", "", "9", ""],
    ]
    (first, second), remarks = read("\n".join(delimiter.join(row) for row in rows).encode("utf-16"), "t.tsv")
    assert first.text == "sku: PPR-9087; name: Check valve; price: 12.50; stock: 4"
    assert first.metadata == {
        "source": "t.tsv",
        "sku": "PPR-9087",
        "name": "Check valve",
        "price": 12.5,
        "stock": 4,
    }
    assert (first.id, first.title) == ("t.tsv#1", "Check valve")
    assert first.marks == (Mark("row", 1, 0, len(first.text)),)
    assert second.text == "sku: PPR-1; price: 9"
    assert remarks == []


def test_decimal_commas_between_semicolons():
    (row,), _ = read("sku;price\nPPR-9087;12,50\n")
    assert row.text == "sku: PPR-9087; price: 12,50"


def test_long_text_follows_the_other_cells_as_it_is():
    rows = (
        'id,title,text,year,zip,ok\r\na,T,Hello,2020,01234,true,\r\nb,,"Multi\nline, ""x""",2021,5678,no\r\n'
    )
    (first, second), _ = read(rows)
    assert (first.id, first.title, first.text) == ("t.csv#a", "T", "year: 2020; zip: 01234; ok: true\nHello")
    assert first.metadata == {
        "source": "t.csv", "id": "a", "title": "T", "year": 2020, "zip": "01234", "ok": "true",
    }  # fmt: skip
    assert second.text == 'year: 2021; zip: 5678; ok: no\nMulti\nline, "x"'


def test_a_corpus_of_texts_is_its_texts():
    (row,), _ = read("_id,title,text\nd1,Moon,The moon causes tides.\n")
    assert (row.id, row.title, row.text) == ("t.csv#d1", "Moon", "The moon causes tides.")


def test_a_column_of_long_cells_is_text_by_any_name():
    (row,), _ = read(f"sku,story\nA,{'word ' * 60}\n")
    assert row.text.startswith("sku: A\nword word")
    assert "story" not in row.metadata


@pytest.mark.parametrize(
    ("above", "named"),
    [
        ("sep=;\n", []),
        ("Prices of 2024\n\n", ["Prices of 2024"]),
        ("Prices;;\nAs of May;;\n", ["Prices / As of May"]),
        ('"sep=;"\r\nPreise, Stand Mai\r\n', ["Preise, Stand Mai"]),
    ],
)
def test_lines_above_a_table_are_no_rows(above, named):
    (one, two), remarks = read(f"{above}sku;name;price\nA;valve;5\nB;pump;7\n")
    assert (one.text, two.text) == ("sku: A; name: valve; price: 5", "sku: B; name: pump; price: 7")
    assert [line for line in named if any(line in remark for remark in remarks)] == named


@pytest.mark.parametrize(
    "rows",
    ["The first row is data,42\nThe second,43\n", "7;Oslo\n8;Bergen\n", "Ada\t3.5\t1\nBo\t4.5\t2\n"],
)
def test_without_a_row_of_names_the_first_row_is_data(rows):
    documents, remarks = read(rows)
    assert len(documents) == 2
    assert " | " in documents[0].text
    assert set(documents[0].metadata) > {"source", "column_1"}
    assert "first row was read as data" in remarks[0]


def test_years_name_columns():
    (row,), _ = read("country,2019,2020\nNorway,5.3,5.4\n")
    assert row.text == "country: Norway; 2019: 5.3; 2020: 5.4"


def test_ragged_rows_are_read_and_named():
    documents, remarks = read("sku,n\nA,1,extra,more\nB\nC,3\n")
    assert [one.text for one in documents] == ["sku: A; n: 1; extra; more", "sku: B", "sku: C; n: 3"]
    assert "rows 1;" in remarks[0]


def test_columns_of_one_name_and_names_that_filters_refuse():
    (row,), _ = read("a,a,$b,\n1,2,3,4\n5,6,7,8\n"[: len("a,a,$b,\n1,2,3,4\n")])
    assert row.text == "a: 1; a: 2; $b: 3; 4"
    assert row.metadata == {"source": "t.csv", "a": 1, "a_2": 2, "b": 3, "column_4": 4}


@pytest.mark.parametrize("rows", ['a,b\n1,"never closed\n2,3\n', 'a,b\n1,x\n2,"open', 'a;b\n"5;x\n6;y\n'])
def test_a_quote_that_is_never_closed_swallows_no_rows(rows):
    documents, remarks = read(rows)
    assert len(documents) == rows.strip().count("\n")
    assert "never closed" in remarks[0]


def test_tables_without_rows():
    (empty,) = load_file("t.csv", b"")
    assert isinstance(empty, UnreadableDocument)
    assert empty.reason == "has no rows"
    documents, (remark,) = read("text,a\n")
    assert documents == []
    assert "names of columns ('text,a') but no rows" in remark


def test_lines_of_json_without_a_text_are_rows():
    line = b'{"sku": "PPR-9087", "price": 19.20, "tags": ["a", "b"], "sold": true, "more": {"x": 1}, "none": null}'
    (row,), _ = read(line, "t.jsonl")
    assert row.text == "sku: PPR-9087; price: 19.20; tags: a, b; sold: true; more x: 1"
    assert (row.metadata["price"], type(row.metadata["price"])) == (19.2, float)
    (broken,) = load_file("t.jsonl", b'{"more": {}}')
    assert "no field 'text'" in broken.reason


CELLS = st.text(st.sampled_from('ab1 .,;"\n-é'), max_size=8).filter(
    # The first may be taken for rows that a stray quote joined; numbers below each other are parted by a stroke.
    lambda cell: not ("\n" in cell and ("," in cell or "1" in cell))
)


def has_more_than_a_note(row):
    return any(cell.strip() for cell in row[1:])


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(has_more_than_a_note), min_size=1, max_size=8))
def test_no_value_is_lost_or_moved(rows):
    file = io.StringIO()
    csv.writer(file).writerows([["sku", "size", "price"], *rows])
    documents, _ = read(file.getvalue())
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(documents) == len(kept)
    for document, row in zip(documents, kept, strict=True):
        wanted = "; ".join(
            f"{name}: {' '.join(cell.split())}"
            for name, cell in zip(("sku", "size", "price"), row, strict=True)
            if cell.strip()
        )
        assert document.text == wanted
