"""OpenDocument spreadsheets are read as they are shown: repeated, spanned, hidden and computed cells."""

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.documents import Document
from tests.support.workbooks import ods, ods_row, ods_table


def cell(shown, attributes):
    return f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"


def read(data, name="book.ods"):
    found = list(load_file(name, data))
    return [one for one in found if isinstance(one, Document)], [
        one for one in found if isinstance(one, Remark)
    ]


HEADER = ods_row("sku", "name", "price")
TABLE = ods_table(HEADER, ods_row("PPR-9087", "Check valve", 12.5), ods_row("PPR-1", "", 9))


@pytest.mark.parametrize(
    ("name", "flat"), [("book.ods", False), ("book.fods", True), ("book", False), ("book", True)]
)
def test_a_row_is_a_document_with_names_of_columns(name, flat):
    (first, second), remarks = read(ods(TABLE, flat=flat), name)
    assert (first.id, first.text) == (f"{name}#Sheet1!2", "sku: PPR-9087; name: Check valve; price: 12.5")
    assert first.metadata["price"] == 12.5
    assert second.text == "sku: PPR-1; price: 9"
    assert remarks == []


def test_values_read_as_they_are_shown():
    row = ods_row(
        cell("19,25 %", 'office:value-type="percentage" office:value="0.1925"'),
        cell("1.234,50 €", 'office:value-type="currency" office:value="1234.5" office:currency="EUR"'),
        cell("01.05.24", 'office:value-type="date" office:date-value="2024-05-01"'),
        cell("01.05.24 08:30", 'office:value-type="date" office:date-value="2024-05-01T08:30:00"'),
        cell("WAHR", 'office:value-type="boolean" office:boolean-value="true"'),
        cell("#DIV/0!", 'table:formula="of:=1/0" office:value-type="string"'),
    )
    names = ods_row("vat", "price", "day", "moment", "ok", "error")
    (one,), _ = read(ods(ods_table(names, row)))
    assert one.text == (
        "vat: 19,25 %; price: 1.234,50 €; day: 2024-05-01; moment: 2024-05-01 08:30; ok: WAHR; error: #DIV/0!"
    )
    assert (one.metadata["vat"], one.metadata["price"], one.metadata["ok"]) == (19.25, 1234.5, True)


def test_repeated_and_spanned_cells():
    repeated = '<table:table-cell table:number-columns-repeated="2" office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell>'
    blank = '<table:table-cell table:number-columns-repeated="16380"/>'
    down = '<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>North</text:p></table:table-cell>'
    covered = "<table:covered-table-cell/>"
    table = ods_table(
        ods_row("region", "city", "fee", "cost"),
        ods_row(down, "Oslo", repeated, blank),
        ods_row(covered, "Bergen", repeated),
        ods_row("", attributes='table:number-rows-repeated="3"'),
        ods_row("South", "Rome", 7, 8, attributes='table:number-rows-repeated="2"'),
        ods_row(blank, attributes='table:number-rows-repeated="1048000"'),
    )
    documents, _ = read(ods(table))
    assert [(one.id.partition("!")[2], one.text) for one in documents] == [
        ("2", "region: North; city: Oslo; fee: 5; cost: 5"),
        ("3", "region: North; city: Bergen; fee: 5; cost: 5"),
        ("7", "region: South; city: Rome; fee: 7; cost: 8"),
        ("8", "region: South; city: Rome; fee: 7; cost: 8"),
    ]


def test_hidden_parts_are_left_out_and_named():
    style = '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>'
    columns = '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
    table = ods_table(
        HEADER,
        ods_row("A", "valve", 5),
        ods_row("B", "pump", 7, attributes='table:visibility="filter"'),
        columns=columns,
    )
    secret = ods_table(ods_row("password", "hunter2"), name="Secret", attributes='table:style-name="ta2"')
    documents, remarks = read(ods(table + secret, style))
    assert [one.text for one in documents] == ["sku: A; name: valve"]
    assert {remark.text.split(": ")[-1] for remark in remarks} == {
        "1 hidden row was left out", "1 hidden column was left out", "Secret",
    }  # fmt: skip


def test_notes_and_runs_of_text():
    style = '<style:style style:name="T1" style:family="text"><style:text-properties style:text-position="super 58%"/></style:style>'
    noted = '<table:table-cell office:value-type="float" office:value="5"><office:annotation><dc:creator>x</dc:creator><text:p>Until May</text:p></office:annotation><text:p>5</text:p></table:table-cell>'
    power = cell('10<text:span text:style-name="T1">9</text:span> vectors', 'office:value-type="string"')
    (one,), _ = read(ods(ods_table(ods_row("sku", "limit", "price"), ods_row("A", power, noted)), style))
    assert one.text == "sku: A; limit: 10^9 vectors; price: 5\n[C2] Until May"


def test_a_formula_without_a_value_is_named():
    formula = '<table:table-cell table:formula="of:=[.A2]*2"/>'
    (one,), (remark,) = read(ods(ods_table(ods_row("n", "twice"), ods_row(5, formula))))
    assert one.text == "n: 5"
    assert "B2" in remark.text


def test_too_many_repeated_cells_are_refused():
    row = ods_row("a", 5, attributes='table:number-rows-repeated="1000000"')
    wide = '<table:table-cell table:number-columns-repeated="16000" office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell>'
    found = list(
        load_file("b.ods", ods(ods_table(ods_row(wide, attributes='table:number-rows-repeated="1000000"'))))
    )
    assert "cells; split it" in found[-1].reason
    del row
