import threading

import pytest

from retrieval.corpus.blocks import Paragraph
from retrieval.corpus.load import load_file
from retrieval.corpus.loaders.printed.lines import Character, rows_of
from retrieval.corpus.loaders.printed.reading import blocks
from retrieval.corpus.remarks import Remark
from retrieval.errors import UnreadableDocument
from tests.support.cases.locked import AES_256
from tests.support.file_makers import pdf


def drawn(*lines):
    """What draws lines (x, y, text) or (x, y, text, size) on a page."""
    shown = (f"/F {size[0] if size else 12} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj" for x, y, text, *size in lines)
    return f"BT {' '.join(shown)} ET".encode("cp1252")


def text_of(*pages):
    document, *_ = load_file("a.pdf", pdf(*pages))
    return document.text


def remarks_of(data):
    return [found for found in load_file("a.pdf", data) if isinstance(found, Remark)]


def test_a_file_that_only_its_owner_may_change_is_read():
    (document,) = load_file("a.pdf", AES_256)
    assert document.text.startswith("Travel policy")


def test_a_page_has_its_mark():
    document, _ = load_file("a.pdf", pdf("One", "", "Three"))
    assert [(mark.number, document.text[mark.start : mark.end].strip()) for mark in document.marks] == [
        (1, "One"),
        (3, "Three"),
    ]


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        (["a", "", "c"], "page 2 has no text; recognise it (OCR)"),
        (["a", "", "", "d"], "pages 2, 3 have no text; recognise them (OCR)"),
        (["", "b", "", "", ""], "pages 1, 3 to 5 have no text; recognise them (OCR)"),
    ],
)
def test_pages_without_text_are_named(pages, text):
    assert remarks_of(pdf(*pages)) == [Remark("a.pdf", text, whole=False)]


@pytest.mark.parametrize("end", [b"xref", b"trailer", b"startxref"])
def test_a_file_without_its_end_is_read_as_far_as_it_goes(end):
    whole = pdf("First page", "Second page")
    document, remark = load_file("a.pdf", whole[: whole.rindex(end)])
    assert document.text == "First page\n\nSecond page"
    assert "end of the file is missing" in remark.text
    assert not remark.whole


@pytest.mark.parametrize("keep", [20, 120, 250])
def test_a_file_without_any_text_left_is_one_error(keep):
    (found,) = load_file("a.pdf", pdf("First page")[:keep])
    assert isinstance(found, UnreadableDocument)
    assert "damaged" in found.reason


_LEFT = [
    "The left column begins the tale",
    "of a valve that leaks in winter",
    "and is replaced by a plumber.",
]
_RIGHT = [
    "The right column has an invoice",
    "that is due within thirty days",
    "and is paid at the main office.",
]


@pytest.mark.parametrize("shift", [0, 5])
@pytest.mark.parametrize("across", [False, True])
def test_columns_are_read_one_after_the_other(shift, across):
    lines = [(50, 700 - 14 * at, text) for at, text in enumerate(_LEFT)]
    lines += [(300, 700 + shift - 14 * at, text) for at, text in enumerate(_RIGHT)]
    heading = "A heading that goes from the left margin to the right one of both columns"
    text = text_of(drawn(*([(50, 740, heading)] if across else []), *lines))
    expected = f"{' '.join(_LEFT)}\n\n{' '.join(_RIGHT)}"
    assert text == (f"{heading}\n\n{expected}" if across else expected)


def test_rows_of_a_table_are_no_columns():
    rows = [(50, "Site", "Q1"), (36, "Oslo", "5"), (22, "Bergen", "7")]
    assert text_of(drawn(*((x, y, t) for y, *two in rows for x, t in zip((50, 200), two, strict=True)))) == (
        "Site Q1\nOslo 5\nBergen 7"
    )


def _grid(*rows):
    xs = (50, 150, 250, 350)
    return drawn(
        *(
            (x, 700 - 16 * at, cell)
            for at, row in enumerate(rows)
            for x, cell in zip(xs, row, strict=False)
            if cell
        )
    )


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [("Site", "Q1", "Q2", "Q3"), ("Oslo", "", "5", ""), ("Bergen", "7", "8", "9")],
            "Site: Oslo; Q2: 5\nSite: Bergen; Q1: 7; Q2: 8; Q3: 9",
        ),
        (
            [("Ort", "Preis", "Frist"), ("Bonn", "12,50", ""), ("Ulm", "3", "2 Tage"), ("Das war alles",)],
            "Ort: Bonn; Preis: 12,50\nOrt: Ulm; Preis: 3; Frist: 2 Tage\n\nDas war alles",
        ),
        (
            [("2021", "2022", "2023"), ("1", "2", "3"), ("4", "5", "6")],
            "2021 | 2022 | 2023\n1 | 2 | 3\n4 | 5 | 6",
        ),
    ],
)
def test_cells_stand_under_the_names_of_their_columns(rows, text):
    assert text_of(_grid(*rows)) == text


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("the pres-", "sure of a valve", "the pressure of a valve"),
        ("die Versiche-", "rung zahlt", "die Versicherung zahlt"),
        ("bring the X-", "Ray plates", "bring the X-Ray plates"),
    ],
)
def test_words_that_a_line_end_parts_are_joined(first, second, joined):
    assert text_of(f"{first}\n{second}") == joined


def _characters(text, baseline=700.0):
    return [Character(one, 50 + 6 * at, 56 + 6 * at, baseline, 12) for at, one in enumerate(text)]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["\ufb01nd the \ufb02at o\ufb03ce"], "find the flat office"),
        (["pres\u00adsure"], "pressure"),
        (["the pres\u00ad", "sure rises"], "the pressure rises"),
        (["the pres\x02", "sure rises"], "the pressure rises"),
    ],
)
def test_ligatures_and_soft_hyphens_are_letters(lines, text):
    shown = [one for at, line in enumerate(lines) for one in _characters(line, 700 - 14 * at)]
    assert blocks(rows_of(shown)) == [Paragraph(text)]


def test_paragraphs_are_parted_where_lines_are_further_apart():
    lines = [(50, 700, "One line of text"), (50, 686, "and another line"), (50, 650, "A new paragraph")]
    assert text_of(drawn(*lines)) == "One line of text and another line\n\nA new paragraph"


def _page(number, header):
    body = [(50, 600 - 14 * at, f"Sentence {chr(97 + number)}{chr(97 + at)}.") for at in range(6)]
    return drawn((50, 780, header), *body, (290, 30, f"Page {number} of 4"))


def test_a_table_that_goes_on_over_pages_has_its_names_and_counts_on():
    names = [(50, 750, "Date"), (150, 750, "Oslo"), (250, 750, "Porto")]
    pages = [
        drawn(
            (50, 790, "On-call roster"),
            *names,
            *((50, 730 - 20 * at, f"{first + at} May") for at in range(6)),
            *((150, 730 - 20 * at, f"Ada {chr(65 + first + at)}") for at in range(6)),
            *((250, 730 - 20 * at, f"Ben {chr(65 + first + at)}") for at in range(6)),
        )
        for first in (1, 7, 13)
    ]
    document, *_ = load_file("a.pdf", pdf(*pages))
    rows = [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == "row"]
    assert rows[0] == "Date: 1 May; Oslo: Ada B; Porto: Ben B"
    assert rows[-1] == "Date: 18 May; Oslo: Ada S; Porto: Ben S"
    assert [mark.number for mark in document.marks if mark.kind == "row"] == list(range(1, 19))
    assert document.text.count("roster") == 1


def test_running_headers_stand_once_and_page_numbers_not_at_all():
    text = text_of(*(_page(number, "Rules of the house") for number in range(1, 5)))
    assert text.count("Rules of the house") == 1
    assert "Page" not in text
    assert text.count("Sentence") == 24


def test_first_lines_that_differ_are_kept():
    text = text_of(*(_page(number, f"Chapter on {chr(96 + number)}") for number in range(1, 5)))
    assert text.count("Chapter on") == 4


def test_numbers_that_do_not_count_with_the_pages_are_text():
    totals = ["1240", "88", "310", "7"]
    text = text_of(
        *(drawn((50, 700, "Invoice"), (50, 600, "Steel"), (50, 90, f"Total {one}")) for one in totals)
    )
    assert all(f"Total {one}" in text for one in totals)


@pytest.mark.parametrize("offset", [0.2, 0.4, 0.8])
def test_fake_bold_is_read_once(offset):
    assert (
        text_of(drawn((50, 700, "Total 1100 EUR"), (50 + offset, 700, "Total 1100 EUR"))) == "Total 1100 EUR"
    )


@pytest.mark.parametrize(
    ("base", "width", "raised", "text"),
    [
        ("up to 10", 43, "9", "up to 10^9"),
        ("an area of 40 m", 84, "2", "an area of 40 m^2"),
        ("since 1999", 56, "2", "since 1999 [2]"),
    ],
)
def test_superscripts_are_powers_or_notes(base, width, raised, text):
    assert text_of(drawn((50, 700, base), (50 + width, 704, raised, 7))) == text


def _form(name, kind, value, page=""):
    """A page with one field of a form."""
    field = f"<</Type/Annot/Subtype/Widget/FT/{kind}/T({name})/V{value}/Rect[50 600 200 620]/P 4 0 R>>"
    return (
        pdf(page)
        .replace(b"/Catalog/Pages", b"/Catalog/AcroForm<</Fields[90 0 R]>>/Pages")
        .replace(b"/Contents", b"/Annots[90 0 R]/Contents")
        .replace(b"xref\n", f"90 0 obj\n{field}\nendobj\nxref\n".encode(), 1)
    )


@pytest.mark.parametrize(
    ("kind", "value", "page", "text"),
    [
        ("Tx", "(31 days)", "Leave", "Leave\n\nLimit: 31 days"),
        ("Tx", "(31 days)", "", "Limit: 31 days"),
        ("Ch", "(Oslo)", "Leave", "Leave\n\nLimit: Oslo"),
        ("Btn", "/Off", "Leave", "Leave"),
        ("Tx", "()", "Leave", "Leave"),
    ],
)
def test_values_of_a_form_are_read(kind, value, page, text):
    document, *_ = load_file("a.pdf", _form("Limit", kind, value, page))
    assert document.text == text


def test_files_are_read_in_threads():
    data, texts = pdf(*["A page of text"] * 5), []

    def read():
        texts.append([found.text for found in load_file("a.pdf", data)])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 4
    assert all(found == texts[0] for found in texts)
