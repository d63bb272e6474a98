"""Quotes: cells of several lines stay whole, and a stray quote joins no rows."""

import csv
import io
import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retrieval.corpus import Remark, load_file
from retrieval.types import Document


def read(text, name="t.csv"):
    found = list(load_file(name, text.encode()))
    return [one for one in found if isinstance(one, Document)], [
        one.text for one in found if isinstance(one, Remark)
    ]


@pytest.mark.parametrize(
    ("rows", "skus"),
    [
        ('A,"x,1\nB,y,2\nC,z,3\nD,w",4\nE,v,5\n', "ABCDE"),
        ('A,"x,1\nB,y,2\nC,"z,3\nD,w,4\n', "ABCD"),
        ('A,5" pipe,1\nB,"y,2\nC,"z",3\nD,"w",4\n', "ABCD"),
        ('A,x,1\nB,"y,2\nC,z,3\n', "ABC"),
        ('"A,x,1\nB,y,2\nC,z,3"\nD,w,4\n', ['"A', "B", "C", "D"]),
    ],
)
def test_a_stray_quote_joins_no_rows(rows, skus):
    documents, remarks = read(f"sku,name,price\n{rows}")
    assert [one.metadata["sku"] for one in documents] == list(skus)
    assert "each line was read as a row there" in remarks[0]


def test_a_stray_quote_in_a_table_of_two_columns():
    documents, remarks = read('sku,n\nA,"5\nB,6"\nC,7\n')
    assert [one.text for one in documents] == ['sku: A; n: "5', 'sku: B; n: 6"', "sku: C; n: 7"]
    assert "line 2 closes in another row" in remarks[0]


@pytest.mark.parametrize(
    "cell",
    [
        "one\ntwo",
        "one, two\nthree, four",
        'he said "5"\nand left',
        "a\n\nb",
        "x\r\ny",
        "w\nx\ny\nz",
        "a,1\nb,2,3",
    ],
)
def test_cells_of_several_lines_stay_whole(cell):
    file = io.StringIO()
    csv.writer(file).writerows(
        [["sku", "note", "price"], ["A", cell, "5"], ["B", "short", "7"], ["C", cell, "8"]]
    )
    documents, remarks = read(file.getvalue())
    assert [one.text for one in documents] == [
        f"sku: A; note: {' '.join(cell.split())}; price: 5",
        "sku: B; note: short; price: 7",
        f"sku: C; note: {' '.join(cell.split())}; price: 8",
    ]
    assert remarks == []


def test_a_cell_of_several_lines_stays_whole_beside_a_stray_quote():
    documents, remarks = read('sku,note,price\nA,"one\ntwo",5\nB,"x,6\nC,y,7\nD,"one\ntwo",8\n')
    assert [one.metadata["note"] for one in documents] == ["one\ntwo", '"x', "y", "one\ntwo"]
    assert "line 4" in remarks[0]


def test_many_stray_quotes_take_no_longer_than_many_rows():
    rows = "".join(f'{at},"pipe,{at}\n' for at in range(501))
    begin = time.process_time()
    documents, _ = read(f"sku,name,price\n{rows}")
    assert len(documents) == 501
    assert time.process_time() - begin < 1


NAMES = ["sku", "note", "price"]
CELLS = st.text(st.sampled_from('abÄ1 .,;|\t"\n-'), max_size=10)


@given(
    st.lists(st.tuples(CELLS, st.integers(0, 9999).map(str)), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
)
def test_what_is_written_in_any_dialect_comes_back(rows, delimiter, end, quoting):
    assume(not any("\n" in note and delimiter in note for note, _ in rows))  # may be rows that were joined
    assume(not any(re.search(r"\d\s*\n\s*[-.]*\d", note) for note, _ in rows))  # two numbers, shown apart
    assume(end != "\r" or quoting == csv.QUOTE_ALL)  # csv writes a line feed without quotes there
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    whole = [[f"part {at}", note, price] for at, (note, price) in enumerate(rows)]
    writer.writerows([NAMES, *whole])
    documents, remarks = read(file.getvalue())
    assert remarks == []
    wanted = [
        "; ".join(f"{n}: {' '.join(c.split())}" for n, c in zip(NAMES, row, strict=True) if c.strip())
        for row in whole
    ]
    assert [one.text for one in documents] == wanted
    assert [one.metadata["price"] for one in documents] == [int(price) for _, price in rows]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('id,said,v\n1,"He said \\"hi, you\\"",5\n2,"x",6\n', 'He said "hi, you"'),
        ('id,said,v\n1,"the \\"good\\" one",5\n2,"x",6\n', 'the "good" one'),
        ("id,said,v\n1,'Lee, J',5\n2,'O''Neil',6\n", "Lee, J"),
        ("id,said,v\n1,Lee\\, J,5\n2,x,6\n", "Lee, J"),
        ('id,said,v\n1,"C:\\dir\\",5\n2,"x",6\n', "C:\\dir\\"),
        ("id,said,v\n1,rock 'n' roll,5\n2,x,6\n", "rock 'n' roll"),
    ],
)
def test_cells_may_be_quoted_in_other_ways(table, said):
    first = next(load_file("t.csv", table.encode()))
    assert first.text == f"id: 1; said: {said}; v: 5"


def test_a_column_of_numbers_with_commas_is_one_column():
    first, second = load_file("t.csv", b"amount\n$1,234.56\n$2,000.00\n")
    assert (first.text, second.metadata["amount"]) == ("amount: $1,234.56", 2000)
