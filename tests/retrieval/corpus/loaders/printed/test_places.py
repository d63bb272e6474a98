"""Characters by position: sizes, spaces, turned and vertical text, columns, rows of cells."""

import pytest

from retrieval.corpus.load import load_file
from retrieval.corpus.loaders.printed.columns import columns
from retrieval.corpus.loaders.printed.lines import Character, Line, rows_of
from retrieval.corpus.loaders.printed.raised import with_mark
from tests.support.file_makers import pdf


def text_of(drawn):
    document, *_ = load_file("a.pdf", pdf(drawn.encode("cp1252")))
    return document.text


def test_a_font_of_size_one_that_is_scaled_has_its_real_size():
    text = "BT /F 1 Tf 12 0 0 12 50 700 Tm (Open the valve) Tj 12 0 0 12 50 686 Tm (and wait) Tj ET"
    assert text_of(text) == "Open the valve and wait"


@pytest.mark.parametrize("gap", [-200, -300, -400])
def test_narrow_spaces_that_are_gaps_are_spaces(gap):
    assert text_of(f"BT /F 12 Tf 50 700 Td [(betterXthan) {gap} (ugly)] TJ ET") == "betterXthan ugly"


@pytest.mark.parametrize("gap", [-20, -60, 30])
def test_kerning_is_no_space(gap):
    assert text_of(f"BT /F 12 Tf 50 700 Td [(V) {gap} (alve)] TJ ET") == "Valve"


def test_turned_text_at_the_edge_of_a_page_stands_by_itself():
    lines = " ".join(f"1 0 0 1 50 {700 - 14 * at} Tm (Line {at} of the running text) Tj" for at in range(8))
    turned = "0 1 -1 0 52 640 Tm (Attach here) Tj"
    text = text_of(f"BT /F 12 Tf {lines} {turned} ET")
    assert text.endswith("Line 7 of the running text\n\nAttach here")


def test_texts_drawn_over_each_other_are_not_mixed_by_letters():
    text = text_of("BT /F 12 Tf 1 0 0 1 50 700 Tm (Energy) Tj 1 0 0 1 53 700 Tm (Charge) Tj ET")
    assert text == "Energy Charge" or text == "EnergyCharge"


def test_vertical_lines_are_read_from_right_to_left():
    right, left = "あいうえお", "かきくけこ"
    shown = [
        Character(one, -(700 - 12 * at), -(688 - 12 * at), x, 12, at + (0 if x == 300 else 5))
        for x, text in ((300, right), (280, left))
        for at, one in enumerate(text)
    ]
    assert [line.text for row in rows_of(shown) for line in row] == [right, left]


@pytest.mark.parametrize(
    ("text", "mark", "joined"),
    [
        ("up to 10", "9", "up to 10^9"),
        ("10", "-3", "10^-3"),
        ("40 m", "2", "40 m^2"),
        ("since 1999", "2", "since 1999 [2]"),
        ("the act", "1", "the act [1]"),
        ("the 1", "st", "the 1st"),
        ("Brand", "TM", "BrandTM"),
        ("word", "*", "word*"),
        ("", "1", "1"),
    ],
)
def test_raised_characters_are_told_apart(text, mark, joined):
    assert with_mark(text, mark) == joined


def _raised(text, raised, after):
    base = [Character(one, 50 + 6 * at, 56 + 6 * at, 700, 12) for at, one in enumerate(text)]
    x = base[-1].right
    small = Character(raised, x, x + 4, 704, 7)
    return [
        *base,
        small,
        *(Character(one, x + 4 + 4 * n, x + 8 + 4 * n, 700, 7) for n, one in enumerate(after)),
    ]


def test_a_fraction_is_no_power():
    ((line,),) = rows_of(_raised("48", "1", "/2"))
    assert line.text == "48 1/2"


def _column(left, width, count, first=700.0):
    words = "the valve is opened by a plumber who waits"
    return [Line(f"{words} {at}", left, left + width, first - 12 * at, 10) for at in range(count)]


def _page(*parts):
    rows = {}
    for line in (line for part in parts for line in part):
        rows.setdefault(line.baseline, []).append(line)
    return [sorted(rows[at], key=lambda line: line.left) for at in sorted(rows, reverse=True)]


@pytest.mark.parametrize("gutter", [9, 14, 40])
@pytest.mark.parametrize("shift", [0, 5])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_are_found_by_the_gutter_that_no_row_crosses(gutter, shift, count):
    parts = [_column(50 + at * (150 + gutter), 150, 20, 700.0 - at * shift) for at in range(count)]
    title = [Line("A title above all of them", 50, 50 + count * 150, 730, 14)]
    found = [[line for row in rows for line in row] for rows in columns(_page(title, *parts))]
    assert [lines for lines in found if lines != title] == parts


def test_a_column_may_have_figures_beside_running_text():
    labels = [Line(f"{at}.", 340 + 60 * (at % 3), 350 + 60 * (at % 3), 640 - 12 * at, 10) for at in range(8)]
    right = [*_column(310, 240, 5), *labels, *_column(310, 240, 8, 540.0)]
    found = [[line for row in rows for line in row] for rows in columns(_page(_column(50, 240, 22), right))]
    assert found == [_column(50, 240, 22), right]


def _cells(*rows):
    xs = (50, 150, 250, 350)
    shown = (
        f"1 0 0 1 {x} {700 - 16 * at} Tm ({cell}) Tj"
        for at, row in enumerate(rows)
        for x, cell in zip(xs, row, strict=False)
        if cell
    )
    return text_of(f"BT /F 12 Tf {' '.join(shown)} ET")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [("", "mpg", "cyl", "hp"), ("Mazda", "21.0", "6", "110"), ("Fiat", "32.4", "4", "66")],
            "Mazda; mpg: 21.0; cyl: 6; hp: 110\nFiat; mpg: 32.4; cyl: 4; hp: 66",
        ),
        (
            [("1", "100", "200", "7"), ("2", "101", "", "8"), ("3", "102", "202", "9")],
            "1 | 100 | 200 | 7\n2 | 101 |  | 8\n3 | 102 | 202 | 9",
        ),
        (
            [("Site", "Q1", "Q1", "Q2"), ("Oslo", "5", "6", "7"), ("Ulm", "1", "2", "3")],
            "Site | Q1 | Q1 | Q2\nOslo | 5 | 6 | 7\nUlm | 1 | 2 | 3",
        ),
    ],
)
def test_cells_stay_in_their_columns(rows, text):
    assert _cells(*rows) == text


def test_a_row_below_other_cells_names_nothing():
    text = _cells(
        ("Norway in spring", "", "Ulm and Bonn in winter"),
        ("Site", "Oslo", "Ulm", "Bonn"),
        ("Fee", "5", "6", "7"),
        ("Due", "1", "2", "3"),
    )
    assert "Oslo: 5" not in text
