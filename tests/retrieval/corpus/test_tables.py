"""Values stand under their own headings, whatever cells a table joins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.tables import MOST_COLUMNS, Cell, table_of
from retrieval.errors import UnreadableDocument


def head(text, rows=1, columns=1):
    return Cell(text, rows, columns, heading=True)


def test_an_empty_cell_keeps_its_column():
    table = table_of(
        "t", [[head("City"), head("Spring"), head("Summer")], [Cell("Oslo"), Cell(""), Cell("5")]]
    )
    assert table.names == ("City", "Spring", "Summer")
    assert table.rows == (("Oslo", "", "5"),)


def test_a_cell_over_several_rows_counts_in_each():
    rows = [[head("Area"), head("City")], [Cell("East", rows=2), Cell("Oslo")], [Cell("Moss")]]
    assert table_of("t", rows).rows == (("East", "Oslo"), ("East", "Moss"))


def test_headings_of_two_levels_are_joined():
    rows = [
        [head("City", rows=2), head("2024", columns=2)],
        [head("revenue"), head("cost")],
        [Cell("Oslo"), Cell("7"), Cell("5")],
    ]
    table = table_of("t", rows)
    assert table.names == ("City", "2024 revenue", "2024 cost")
    assert table.rows == (("Oslo", "7", "5"),)


def test_headings_of_rows_are_no_headings_of_columns():
    rows = [[head("City"), head("Days")], [head("Oslo"), Cell("5")]]
    assert table_of("t", rows).rows == (("Oslo", "5"),)


def test_a_table_of_headings_alone_keeps_them_as_content():
    table = table_of("t", [[head("a"), head("b")]])
    assert table.names == ()
    assert table.rows == (("a", "b"),)


@pytest.mark.parametrize("cell", [Cell("a", columns=MOST_COLUMNS + 1), Cell("a", rows=9, columns=10**9)])
def test_a_hostile_span_is_refused(cell):
    with pytest.raises(UnreadableDocument):
        table_of("t", [[cell]] * 9)


@given(
    st.lists(
        st.lists(st.builds(Cell, st.text(max_size=2), st.integers(-1, 4), st.integers(-1, 4)), max_size=4),
        max_size=5,
    )
)
def test_rows_are_of_equal_length_and_lose_no_text(rows):
    table = table_of("t", rows)
    assert len({len(row) for row in table.rows}) <= 1
    assert {cell.text for row in rows for cell in row if cell.text} <= {
        text for row in table.rows for text in row
    }
