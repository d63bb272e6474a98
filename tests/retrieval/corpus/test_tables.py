"""Values stand under their own headings, whatever cells a table joins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.tables import MOST_COLUMNS, Cell, table_of, tables_of
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


def test_columns_that_are_named_anew_keep_no_old_names():
    rows = [
        [head("Item"), head("Price")],
        [Cell("A"), Cell("1")],
        [head("Item"), head("Weight")],
        [Cell("A"), Cell("9")],
    ]
    first, second = tables_of("t", rows)
    assert (first.names, first.rows, first.first) == (("Item", "Price"), (("A", "1"),), 1)
    assert (second.names, second.rows, second.first) == (("Item", "Weight"), (("A", "9"),), 2)


def test_a_heading_over_the_whole_width_is_no_value_of_a_column():
    names = [head("City"), head("Min"), head("Max")]
    rows = [[head("Europe", columns=3)], names, [Cell("Oslo"), Cell("1"), Cell("2")]]
    rows += [[head("Asia", columns=9)], [Cell("Tokyo"), Cell("3"), Cell("4")]]
    rows += [[Cell("Total"), Cell("4"), Cell("6")]]
    europe, asia = tables_of("t", rows)
    assert europe.names == asia.names == ("", "City", "Min", "Max")
    assert europe.rows == (("Europe", "Oslo", "1", "2"),)
    assert asia.rows == (("Asia", "Tokyo", "3", "4"), ("", "Total", "4", "6"))


def test_a_line_between_rows_belongs_to_none():
    rows = [[head("Item"), head("Price")], [Cell("A"), Cell("5")], [Cell("Notes on A", columns=2)]]
    first, line, second = tables_of("t", [*rows, [Cell("B"), Cell("6")]], caption="Fees")[1:]
    assert (first.rows, line.caption, line.rows, second.rows) == (
        (("A", "5"),),
        "Notes on A",
        (),
        (("B", "6"),),
    )


def test_parts_begin_below_the_names():
    rows = [[head("Item"), head("Price")], [Cell("Fruit", columns=2)], [Cell("A"), Cell("5")]]
    rows += [[Cell("Meat", columns=2)], [Cell("B"), Cell("6")]]
    assert [table.rows for table in tables_of("t", rows)] == [(("Fruit", "A", "5"),), (("Meat", "B", "6"),)]


def test_headings_of_rows_with_values_name_no_columns_anew():
    rows = [[head("Item"), head("Price")], [Cell("A"), Cell("5")], [head("Total"), Cell("5")]]
    (table,) = tables_of("t", rows)
    assert table.rows == (("A", "5"), ("Total", "5"))


def test_names_below_groups_of_columns_are_names_where_a_file_does_not_say_so():
    rows = [[head("Item"), head("2023", columns=2)], [Cell(""), Cell("Qty"), Cell("EUR")]]
    (table,) = tables_of("t", [*rows, [Cell("A"), Cell("1"), Cell("-2")]])
    assert (table.names, table.rows) == (("Item", "2023 Qty", "2023 EUR"), (("A", "1", "-2"),))
    (table,) = tables_of(
        "t", [rows[0], [Cell("A"), Cell("n/a"), Cell("none")], [Cell("B"), Cell("1"), Cell("2")]]
    )
    assert table.names == ("Item", "2023", "2023")
