"""Rows of spreadsheets are documents that say what a reader sees in the sheet, with sheet and row in their ids."""

import datetime

import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904 as MAC_EPOCH
from openpyxl.worksheet.table import Table

from retrieval.corpus import LoadLimits, Remark, load_file
from retrieval.documents import Document, Mark
from retrieval.errors import UnreadableDocument
from tests.support.workbooks import changed, computed, xlsx

SHEET = "xl/worksheets/sheet1.xml"
PARTS = [["sku", "name", "price"], ["PPR-9087", "Check valve", 12.5], ["PPR-1", None, 9]]


def read(data, name="book.xlsx"):
    found = list(load_file(name, data))
    assert [one for one in found if isinstance(one, UnreadableDocument)] == []
    return [one for one in found if isinstance(one, Document)], [
        one for one in found if isinstance(one, Remark)
    ]


def texts(data):
    return [one.text for one in read(data)[0]]


@pytest.mark.parametrize("name", ["book.xlsx", "book.xlsm", "book", "book.zip"])
def test_a_row_is_a_document_with_names_of_columns(name):
    (first, second), remarks = read(xlsx(PARTS), name)
    assert first.text == "sku: PPR-9087; name: Check valve; price: 12.5"
    assert first.id == f"{name}#Sheet!2"
    assert first.title == "Sheet > Check valve"
    assert first.marks == (Mark("row", 2, 0, len(first.text)),)
    assert first.metadata == {
        "source": name, "sheet": "Sheet", "sku": "PPR-9087", "name": "Check valve", "price": 12.5,
    }  # fmt: skip
    assert second.text == "sku: PPR-1; price: 9"
    assert remarks == []


def test_numbers_read_as_they_are_shown_and_filter_as_they_read():
    def edit(book):
        sheet = book.active
        codes = ["0.00%", "0%", "#,##0.00", '#,##0.00 "EUR"', "[$€-407] #,##0", "000", "0.0E+00", "0.00"]
        for at, code in enumerate(codes, 1):
            sheet.cell(2, at).number_format = code

    names = ["vat", "share", "sum", "net", "gross", "code", "power", "round"]
    (row,), _ = read(xlsx([names, [0.1925, 0.07, 1234.5, 1234.5, -5, 7, 1e-9, 2.005]], edit))
    assert row.text == (
        "vat: 19.25%; share: 7%; sum: 1,234.50; net: 1,234.50 EUR; gross: -€ 5; code: 007; power: 1.0E-09; "
        "round: 2.01"
    )
    assert [row.metadata[name] for name in names] == [19.25, 7, 1234.5, 1234.5, -5, "007", 1e-9, 2.005]


def test_dates_are_iso_dates():
    def edit(book):
        for at, code in enumerate(["d.m.yyyy", "m/d/yy h:mm", "mmm yyyy", "h:mm:ss", "[h]:mm", "dddd"], 1):
            book.active.cell(2, at).number_format = code

    moment = datetime.datetime(2024, 5, 1, 8, 30, 15)
    values = [
        moment,
        moment,
        moment,
        datetime.time(8, 30, 15),
        datetime.timedelta(hours=26, minutes=5),
        moment,
    ]
    (row,), _ = read(xlsx([["day", "time", "month", "at", "took", "weekday"], values], edit))
    assert row.text == (
        "day: 2024-05-01; time: 2024-05-01 08:30; month: 2024-05; at: 08:30:15; took: 26:05; weekday: 2024-05-01"
    )
    assert row.metadata["day"] == "2024-05-01"


def test_days_that_begin_in_1904():
    data = xlsx(
        [["day", "n"], [datetime.date(2024, 5, 1), 1]], lambda book: setattr(book, "epoch", MAC_EPOCH)
    )
    assert texts(data)[0].startswith("day: 2024-05-01")
    text = {"xl/workbook.xml": lambda text: text.replace('date1904="1"', 'date1904="0"')}
    assert texts(changed(data, text))[0].startswith("day: 2020-04-30")


def test_a_formula_is_its_stored_value():
    rows = [["sku", "price", "twice", "word", "late"], ["A", 5, "=B2*2", '="a"&"b"', "=B2*3"]]
    change = {SHEET: lambda text: computed("D2", "ab", "str")(computed("C2", "10")(text))}
    (row,), (remark,) = read(xlsx(rows, change=change))
    assert row.text == "sku: A; price: 5; twice: 10; word: ab"
    assert row.metadata["twice"] == 10
    assert "late" not in row.metadata
    assert "1 formula was left out" in remark.text
    assert "E2" in remark.text
    assert not remark.whole


def test_errors_and_truth_values():
    (row,), _ = read(xlsx([["sku", "price", "stock", "ok"], ["A", "#N/A", "#DIV/0!", True]]))
    assert row.text == "sku: A; price: #N/A; stock: #DIV/0!; ok: TRUE"
    assert row.metadata["ok"] is True


def test_text_cells_keep_their_digits():
    documents, _ = read(xlsx([["sku", "postcode"], ["00123", "90210"], ["00007", "1,234"]]))
    assert [one.metadata["sku"] for one in documents] == ["00123", "00007"]
    assert [one.metadata["postcode"] for one in documents] == ["90210", "1,234"]


def test_a_cell_over_several_rows_stands_in_each():
    rows = [["region", "city", "fee"], ["North", "Oslo", 5], [None, "Bergen", 6], ["South", "Rome", 7]]
    assert texts(xlsx(rows, lambda book: book.active.merge_cells("A2:A3"))) == [
        "region: North; city: Oslo; fee: 5", "region: North; city: Bergen; fee: 6", "region: South; city: Rome; fee: 7",
    ]  # fmt: skip


def test_a_line_over_all_columns_is_no_value_of_any():
    rows = [["sku", "name", "price"], ["Valves"], ["A", "valve", 5], ["No pumps are left"], ["B", "hose", 7]]

    def edit(book):
        book.active.merge_cells("A2:C2")
        book.active.merge_cells("A4:C4")

    documents, _ = read(xlsx(rows, edit))
    assert [one.text for one in documents] == [
        "Valves", "sku: A; name: valve; price: 5", "No pumps are left", "sku: B; name: hose; price: 7",
    ]  # fmt: skip
    assert documents[1].metadata["price"] == 5


def test_headers_of_several_rows():
    def edit(book):
        for places in ("A1:A2", "B1:C1", "D1:E1"):
            book.active.merge_cells(places)

    rows = [
        ["region", 2024, None, 2025, None],
        [None, "sales", "cost", "sales", "cost"],
        ["North", 5, 6, 7, 8],
    ]
    documents, remarks = read(xlsx([*rows, ["South", 1, 2, 3, 4]], edit))
    assert documents[0].text == ("region: North; 2024 sales: 5; 2024 cost: 6; 2025 sales: 7; 2025 cost: 8")
    assert len(documents) == 2
    assert remarks == []


def test_hidden_rows_columns_and_sheets_are_left_out_and_named():
    def edit(book):
        book.active.row_dimensions[3].hidden = True
        book.active.column_dimensions["C"].hidden = True
        secret = book.create_sheet("Secret")
        secret.append(["password", "hunter2"])
        secret.sheet_state = "veryHidden"

    documents, remarks = read(xlsx(PARTS, edit))
    assert [one.text for one in documents] == ["sku: PPR-9087; name: Check valve"]
    said = " ".join(remark.text for remark in remarks)
    for words in ("1 hidden row was", "1 hidden column was", "hidden sheets were left out: Secret"):
        assert words in said
    assert not any(remark.whole for remark in remarks)


def test_sheets_that_are_empty_or_charts():
    def edit(book):
        book.create_sheet("Empty")
        book.create_chartsheet("Chart")

    documents, (remark,) = read(xlsx(PARTS, edit))
    assert len(documents) == 2
    assert "Chart" in remark.text
    documents, (remark,) = read(xlsx())
    assert documents == []
    assert "no cells with values" in remark.text


def test_every_sheet_has_ids_of_its_own():
    def edit(book):
        second = book.create_sheet("2025")
        for row in PARTS:
            second.append(row)

    documents, _ = read(xlsx(PARTS, edit))
    assert [one.id for one in documents] == [
        "book.xlsx#Sheet!2", "book.xlsx#Sheet!3", "book.xlsx#2025!2", "book.xlsx#2025!3",
    ]  # fmt: skip
    assert documents[2].title == "2025 > Check valve"


def test_rows_with_ids_are_named_by_them():
    documents, _ = read(xlsx([["id", "name"], ["PPR-1", "valve"], ["PPR-2", "pump"]]))
    assert [one.id for one in documents] == ["book.xlsx#Sheet!PPR-1", "book.xlsx#Sheet!PPR-2"]
    assert documents[0].marks[0].number == 2


def test_a_table_anywhere_in_the_sheet_with_lines_around():
    def edit(book):
        sheet = book.active
        sheet["C3"] = "Prices, all in EUR"
        sheet.merge_cells("C3:E3")
        for at, row in enumerate(PARTS, 5):
            for column, value in enumerate(row, 3):
                sheet.cell(at, column).value = value
        sheet["C9"] = "Source: price list, May 2024"

    documents, remarks = read(xlsx([], edit))
    assert [(one.id, one.text) for one in documents] == [
        ("book.xlsx#Sheet!6", "sku: PPR-9087; name: Check valve; price: 12.5"),
        ("book.xlsx#Sheet!7", "sku: PPR-1; price: 9"),
        ("book.xlsx#Sheet!9", "Source: price list, May 2024"),
    ]
    assert documents[0].title == "Sheet > Prices, all in EUR > Check valve"
    assert [remark.whole for remark in remarks] == [True, True]


def test_tables_below_and_beside_each_other():
    rows = [
        ["name", "price", None, "city", "people"],
        ["A", 1, None, "Oslo", 5],
        ["B", 2, None, "Bergen", 6],
        ["C", 3],
        ["D", 4],
        [],
        ["tool", "weight"],
        ["saw", 7],
    ]
    documents, _ = read(xlsx(rows))
    assert {one.id: one.text for one in documents} == {
        "book.xlsx#Sheet!2": "name: A; price: 1",
        "book.xlsx#Sheet!3": "name: B; price: 2",
        "book.xlsx#Sheet!4": "name: C; price: 3",
        "book.xlsx#Sheet!5": "name: D; price: 4",
        "book.xlsx#Sheet!8": "tool: saw; weight: 7",
        "book.xlsx#Sheet!D2": "city: Oslo; people: 5",
        "book.xlsx#Sheet!D3": "city: Bergen; people: 6",
    }


def test_a_blank_column_within_a_table_parts_nothing():
    rows = [["sku", "name", None, "price", "stock"], ["A", "valve", None, 5, 1], ["B", "pump", None, 7, 2]]
    assert texts(xlsx(rows))[0] == "sku: A; name: valve; price: 5; stock: 1"


def test_notes_on_cells_follow_their_row():
    def edit(book):
        book.active["C2"].comment = Comment("Until May\nonly", "x")
        book.active["C1"].comment = Comment("Without tax", "x")

    documents, _ = read(xlsx(PARTS, edit))
    assert [one.text for one in documents][:2] == [
        "[C1] Without tax", "sku: PPR-9087; name: Check valve; price: 12.5\n[C2] Until May only",
    ]  # fmt: skip
    assert len({one.id for one in documents}) == 3


def test_raised_and_struck_out_text():
    def edit(book):
        raised, struck = InlineFont(vertAlign="superscript"), InlineFont(strike=True)
        book.active["A2"] = CellRichText("10", TextBlock(raised, "9"), " vectors")
        book.active["B2"] = CellRichText(TextBlock(struck, "40"), " 50 EUR")
        book.active["C2"].font = Font(strike=True)

    (row,), _ = read(xlsx([["limit", "fee", "old"], ["x", "y", 7]], edit))
    assert row.text == "limit: 10^9 vectors; fee: [deleted: 40] 50 EUR; old: [deleted: 7]"
    assert row.metadata["old"] == "[deleted: 7]"


def test_names_of_columns_by_bold_type_or_a_declared_table():
    rows = [["Wer", "Wo"], ["Ada", "Oslo"], ["Bo", "Bergen"]]

    def bold(book):
        for cell in book.active[1]:
            cell.font = Font(bold=True)

    def declared(book):
        book.active.add_table(Table(displayName="Leute", ref="A1:B3"))

    for edit in (bold, declared):
        documents, remarks = read(xlsx(rows, edit))
        assert [one.text for one in documents] == ["Wer: Ada; Wo: Oslo", "Wer: Bo; Wo: Bergen"]
        assert remarks == []
    assert "may name columns or be data" in read(xlsx(rows))[1][0].text


def test_strict_open_xml():
    strict = [
        (
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
        (
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
    ]

    def edit(text):
        for usual, other in strict:
            text = text.replace(usual, other)
        return text

    parts = ["xl/workbook.xml", SHEET, "xl/styles.xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"]
    assert texts(changed(xlsx(PARTS), dict.fromkeys(parts, edit))) == texts(xlsx(PARTS))


def test_rows_and_cells_without_their_numbers():
    import re

    data = xlsx(
        [["sku", "price"], ["A", 5]], change={SHEET: lambda text: re.sub(r' r="[A-Z]*\d+"', "", text)}
    )
    assert texts(data) == ["sku: A; price: 5"]


def test_a_sheet_that_claims_to_be_huge_is_as_large_as_its_cells():
    def edit(text):
        text = text.replace('ref="A1:C3"', 'ref="A1:XFD1048576"')
        far = '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>'
        merged = '<mergeCells count="1"><mergeCell ref="A10:XFD1048570"/></mergeCells>'
        return text.replace("</sheetData>", far + merged)

    documents = texts(xlsx(PARTS, change={SHEET: edit}))
    assert documents[:2] == texts(xlsx(PARTS))
    assert documents[2:] == ["7"]


def test_a_sheet_with_too_many_columns_stops_no_other():
    def edit(book):
        wide = book.create_sheet("Wide")
        for row in ([f"column {at}" for at in range(1_001)], range(1_001)):
            wide.append(list(row))

    found = list(load_file("book.xlsx", xlsx(PARTS, edit)))
    assert sum(isinstance(one, Document) for one in found) == 2
    (error,) = [one for one in found if isinstance(one, UnreadableDocument)]
    assert error.name == "book.xlsx#Wide"
    assert "1000 columns" in error.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({SHEET: lambda text: text + " " * 3_000_000}, "zip bomb"),
        ({SHEET: lambda text: text[:200]}, "cannot be read as zip"),
        ({"xl/workbook.xml": lambda text: ""}, "cannot be read as"),
    ],
)
def test_hostile_and_broken_files_are_named(change, words):
    (error,) = load_file("book.xlsx", xlsx(PARTS, change=change))
    assert isinstance(error, UnreadableDocument)
    assert words in error.reason


def test_entities_are_not_resolved():
    def edit(text):
        text = text.replace("<worksheet", '<!DOCTYPE worksheet [<!ENTITY a "secret">]><worksheet', 1)
        return text.replace("<t>Check valve</t>", "<t>&a;</t>")

    assert "secret" not in " ".join(texts(xlsx(PARTS, change={SHEET: edit})))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as DOCX, XLSX"),
        (
            "locked.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "needs a password",
        ),
        ("book.xlsx", b"no workbook", "is named XLSX but is not one"),
    ],
)
def test_files_that_are_no_open_workbooks(name, data, words):
    (error,) = load_file(name, data)
    assert words in error.reason


def test_a_binary_workbook_is_named(make):
    (error,) = load_file("b.xlsb", make.archive({"[Content_Types].xml": b"", "xl/workbook.bin": b""}))
    assert "save it as XLSX" in error.reason


def test_limits_hold_for_workbooks():
    (error,) = load_file("book.xlsx", xlsx(PARTS), LoadLimits(max_file_bytes=2_000))
    assert "larger than" in error.reason
