"""Cells of tables in Word documents stand under their own headings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import load_file
from tests.support.packages.word import p, style, tbl, tc, tr, word_file

HEAD = "<w:tblHeader/>"
BOLD = "<w:b/>"
GREY = '<w:shd w:val="clear" w:fill="D9D9D9"/>'
LOOK = '<w:tblLook w:firstRow="1"/>'
LOOK_BITS = '<w:tblLook w:val="04A0"/>'
GRID = style("Grid", "", name="Table Grid", kind="table")
ACCENT = style(
    "Accent",
    '<w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr></w:tblStylePr>',
    name="Light Grid",
    kind="table",
)


def text_of(body, **parts):
    (document,) = load_file("a.docx", word_file(body, **parts))
    return document.text


def down(text="", columns=1):
    """A cell that begins a cell over several rows, or with no text goes on with it."""
    start = ' w:val="restart"' if text else ""
    return tc(text, f'<w:gridSpan w:val="{columns}"/><w:vMerge{start}/>')


def wide(text, columns):
    return tc(text, f'<w:gridSpan w:val="{columns}"/>')


@pytest.mark.parametrize(
    "table",
    [
        tbl(tr("Site", "Q1", "Q2", properties=HEAD), tr("Oslo", "", "5")),
        tbl(tr("Site", "Q1", "Q2"), tr("Oslo", "", "5"), properties=LOOK),
        tbl(tr("Site", "Q1", "Q2"), tr("Oslo", "", "5"), properties=LOOK_BITS),
        tbl(tr("Site", "Q1", "Q2"), tr("Oslo", "", "5"), properties='<w:tblStyle w:val="Accent"/>' + LOOK),
        tbl(tr(*(tc(text, "", BOLD) for text in ("Site", "Q1", "Q2"))), tr("Oslo", "", "5")),
        tbl(tr(*(tc(text, GREY) for text in ("Site", "Q1", "Q2"))), tr("Oslo", "", "5")),
        tbl(tr(wide("Sales", 3)), tr("Site", "Q1", "Q2", properties=HEAD), tr("Oslo", "", "5")),
    ],
)
def test_a_head_names_the_cells_and_an_empty_cell_keeps_its_column(table):
    assert text_of(table, styles=GRID + ACCENT).removeprefix("Sales\n\n") == "Site: Oslo; Q2: 5"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (tbl(tr("Weight", "3 kg"), tr("Length", "5 m"), properties=LOOK), "Weight | 3 kg\nLength | 5 m"),
        (tbl(tr("Contact", "Ann Lee"), tr("Phone", "555"), properties=LOOK), "Contact | Ann Lee\nPhone | 555"),
        (tbl(tr("Oslo", "Norway", "open"), tr("Rome", "Italy", "shut"), properties=LOOK), "Oslo | Norway | open\nRome | Italy | shut"),
        (tbl(tr("Oslo", "3", "4"), tr("Rome", "5", "6"), properties=LOOK), "Oslo | 3 | 4\nRome | 5 | 6"),
        (tbl(tr("Name", "Ann", "Role", "Boss"), tr("Age", "33", "Phone", "555"), properties=LOOK), "Name | Ann | Role | Boss\nAge | 33 | Phone | 555"),
        (tbl(tr("Site", "Q1", "Q2"), tr("Oslo", "", "5"), properties='<w:tblLook w:firstRow="0" w:val="0020"/>'), "Site | Q1 | Q2\nOslo |  | 5"),
        (tbl(tr("", "b", "c"), tr("d", "e", ""), properties=LOOK), " | b | c\nd | e |"),
        (tbl(tr(tc("a", GREY), tc("b", GREY)), tr("c", "d"), tr(tc("e", GREY), tc("f", GREY))), "a | b\nc | d\ne | f"),
        (tbl(tr(tc("Weight", "", BOLD), "3 kg"), tr(tc("Length", "", BOLD), "5 m")), "Weight: 3 kg\nLength: 5 m"),
    ],
)  # fmt: skip
def test_without_a_head_nothing_is_named_by_guess(table, text):
    assert text_of(table, styles=GRID) == text


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([tr("Site", "N", properties=HEAD), tr(down("Bergen"), "7"), tr(down(), "1")], "Site: Bergen; N: 7\nSite: Bergen; N: 1"),
        ([tr(down("Site"), wide("2024", 2), properties=HEAD), tr(down(), "Q1", "Q2", properties=HEAD), tr("A", "1", "2")], "Site: A; 2024 Q1: 1; 2024 Q2: 2"),
        ([tr("a", "b", "c", properties=HEAD), tr(wide("x", 2), "y")], "a: x; b: x; c: y"),
        ([tr("a", "b", "c", properties=HEAD), tr(down("x", 2), "1"), tr(down(columns=2), "2")], "a: x; b: x; c: 1\na: x; b: x; c: 2"),
        ([tr("a", "b", properties=HEAD), tr("1", properties='<w:gridBefore w:val="1"/>')], "b: 1"),
        ([tr("a", "b", properties=HEAD), tr(down("x"), down("y")), tr(down(), down()), tr("z", "1")], "a: x; b: y\na: z; b: 1"),
        ([tr("a", "b", properties=HEAD), tr(down("x"), "1"), tr(down("y"), "2"), tr(down(), "3")], "a: x; b: 1\na: y; b: 2\na: y; b: 3"),
        ([tr("a", "b", properties=HEAD), tr(tc("x", '<w:hMerge w:val="restart"/>'), tc("", "<w:hMerge/>"))], "a: x; b: x"),
        ([tr("a", "b", properties=HEAD), tr("old", "1", properties="<w:del/>"), tr("new", "2", properties="<w:ins/>")], "a: new; b: 2"),
        ([tr("a", "b", properties=HEAD), tr("x", tc("1", "<w:cellDel/>"), "2")], "a: x; b: 2"),
    ],
)  # fmt: skip
def test_spans(rows, text):
    assert text_of(tbl(*rows)) == text


def test_rows_and_cells_in_content_controls():
    row = f"<w:sdt><w:sdtContent>{tr('x', '<w:sdt><w:sdtContent>' + tc('1') + '</w:sdtContent></w:sdt>')}</w:sdtContent></w:sdt>"
    assert text_of(tbl(tr("a", "b", properties=HEAD), row)) == "a: x; b: 1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (tbl(tr("k", "v", properties=HEAD), tr("1", "2")) + p(""), "a: x; b: k: 1; v: 2"),
        (p("one") + p("two"), "a: x; b: one two"),
        (tbl(tr(tc(tbl(tr("deep")) + p("")))) + p(""), "a: x; b: deep"),
    ],
)
def test_what_stands_in_a_cell_is_its_text(cell, text):
    assert text_of(tbl(tr("a", "b", properties=HEAD), tr("x", f"<w:tc>{cell}</w:tc>"))) == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (tbl(tr("A box of text.")), "A box of text."),
        (
            tbl(tr(tc(tbl(tr("k", "v", properties=HEAD), tr("1", "2")) + p(""))), tr("below")),
            "k: 1; v: 2\n\nbelow",
        ),
        (tbl(tr(tc(p("Terms", '<w:pStyle w:val="H"/>') + p("Text")), "beside")), "# Terms\n\nText\n\nbeside"),
    ],
)
def test_tables_that_only_lay_out_the_page(table, text):
    assert text_of(table, styles=style("H", "", name="heading 1")) == text


def test_a_cell_over_very_many_rows_counts_in_each():
    rows = [tr(down("x"), "0"), *(tr(down(), str(number)) for number in range(1, 1100))]
    lines = text_of(tbl(tr("a", "b", properties=HEAD), *rows)).split("\n")
    assert lines[0] == "a: x; b: 0"
    assert lines[-1] == "a: x; b: 1099"


def test_a_hostile_span_and_deep_tables_are_refused():
    (found,) = load_file("a.docx", word_file(tbl(tr("b", "c"), tr("a", wide("d", 99_999)))))
    assert "1000 columns" in found.reason
    deep = p("x")
    for _ in range(60):
        deep = tbl(tr(f"<w:tc>{deep}</w:tc>"))
    (found,) = load_file("a.docx", word_file(deep))
    assert "deep in each other" in found.reason


@st.composite
def grids(draw):
    """Rows of cells (text, rows, columns) that tile a grid."""
    height, width = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    taken, rows, number = set(), [], 0
    for top in range(height):
        row = []
        for left in range(width):
            if (top, left) in taken:
                continue
            free = next((at for at in range(left, width) if (top, at) in taken), width) - left
            across, deep = draw(st.integers(1, free)), draw(st.integers(1, height - top))
            number += 1
            taken |= {(top + y, left + x) for y in range(deep) for x in range(across)}
            row.append((f"c{number}", deep, across, left))
        rows.append(row)
    return width, rows


@given(grids())
def test_spans_give_the_grid_that_the_same_table_has_in_html(grid):
    width, rows = grid
    names = [f"n{at}" for at in range(width)]
    cells = {(top, left): (text, across) for top, row in enumerate(rows) for text, _, across, left in row}
    merged = {}
    for top, row in enumerate(rows):
        for _, deep, across, left in row:
            merged.update({(top + y, left): across for y in range(1, deep)})
    written = []
    for top in range(len(rows)):
        places = sorted([at for at in cells if at[0] == top] + [at for at in merged if at[0] == top])
        written.append(tr(*(down(*cells[at]) if at in cells else down(columns=merged[at]) for at in places)))
    page = "".join(
        "<tr>" + "".join(f"<td rowspan={deep} colspan={across}>{text}</td>" for text, deep, across, _ in row) + "</tr>"
        for row in rows if row
    )  # fmt: skip
    if not all(rows):
        return  # HTML has no form for a row in which every cell goes on from above
    html = f"<table><tr>{''.join(f'<th>{name}' for name in names)}</tr>{page}</table>"
    (expected,) = load_file("a.html", html.encode())
    assert text_of(tbl(tr(*names, properties=HEAD), *written)) == expected.text


@pytest.mark.parametrize(
    "rows",
    [
        [tr("Item", "Price", properties=HEAD), tr("A", "5"), tr("Item", "Weight", properties=HEAD)],
        [
            tr(tc("Item", "", BOLD), tc("Price", "", BOLD)),
            tr("A", "5"),
            tr(tc("Item", "", BOLD), tc("Weight", "", BOLD)),
        ],
    ],
)
def test_a_row_like_the_head_names_what_is_below_it(rows):
    assert text_of(tbl(*rows, tr("A", "9"))) == "Item: A; Price: 5\n\nItem: A; Weight: 9"


def test_a_row_of_sums_in_bold_names_nothing():
    sums = tr(tc("Total", "", BOLD), tc("5", "", BOLD))
    rows = [tr(tc("Item", "", BOLD), tc("Price", "", BOLD)), tr("A", "5"), sums, tr("Tax", "1")]
    assert text_of(tbl(*rows)) == "Item: A; Price: 5\nItem: Total; Price: 5\nItem: Tax; Price: 1"
