import io
import re
import struct
import zipfile
import zlib

import pytest
from lxml import etree
from pptx.util import Inches

from retrieval.corpus import LoadLimits, Remark, load_file
from retrieval.errors import UnreadableDocument
from tests.support.packages.slides import body, box, deck, read, rewritten, run, table, titled

DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def test_titles_are_headings_and_each_slide_is_a_page():
    def opening(slide):
        slide.shapes.title.text = "Pumps"
        slide.placeholders[1].text = "Edition 2024"

    document, remarks = read(
        deck(
            (0, opening), (5, titled("Set-up")), (2, titled("Part two")), (6, lambda s: box(s, 1, 1, "7 bar"))
        )
    )
    assert document.text == "# Pumps\n\nEdition 2024\n\n## Set-up\n\n# Part two\n\n## Slide 4\n\n7 bar"
    assert document.title == "Pumps"
    assert document.metadata == {"source": "deck.pptx", "slides": 4}
    pages = [(mark.number, document.text[mark.start : mark.end].strip()) for mark in document.marks]
    assert pages[1] == (2, "## Set-up")
    assert pages[3] == (4, "## Slide 4\n\n7 bar")
    assert not remarks


def test_lists_keep_their_depth_and_their_numbers():
    def make(slide):
        frame = slide.placeholders[1].text_frame
        frame.text = "Tools"
        for level, text, kind, start in [
            (1, "wrench", None, None),
            (0, "Open", "arabicPeriod", "3"),
            (1, "left valve", "alphaLcParenR", None),
            (1, "right valve", "alphaLcParenR", None),
            (0, "Close", "arabicPeriod", "3"),
            (0, "Report", "romanUcPeriod", None),
        ]:
            paragraph = frame.add_paragraph()
            paragraph.text, paragraph.level = text, level
            if kind:
                number = etree.SubElement(paragraph._p.get_or_add_pPr(), f"{DRAWING}buAutoNum", type=kind)
                number.attrib.update({"startAt": start} if start else {})

    assert body((1, make)) == (
        "- Tools\n  - wrench\n3. Open\n  a) left valve\n  b) right valve\n4. Close\nI. Report"
    )


def test_a_paragraph_whose_bullet_is_taken_away_is_no_item():
    def make(slide):
        frame = slide.placeholders[1].text_frame
        frame.text = "Plain."
        etree.SubElement(frame.paragraphs[0]._p.get_or_add_pPr(), f"{DRAWING}buNone")

    assert body((1, make)) == "Plain."


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([("up to 10", {}), ("9", {"baseline": "30000"}), (" vectors", {})], "up to 10^9 vectors"),
        ([("in 1999", {}), ("2", {"baseline": "30000"})], "in 1999 [2]"),
        ([("H", {}), ("2", {"baseline": "-25000"}), ("O", {})], "H2O"),
        ([("1010", {}), ("2", {"baseline": "-25000"})], "1010_2"),
        ([("fee ", {}), ("40", {"strike": "sngStrike"}), (" 50", {})], "fee [deleted: 40] 50"),
        ([("kept", {"strike": "noStrike", "baseline": "0"})], "kept"),
    ],
)
def test_raised_and_struck_out_runs(runs, text):
    def make(slide):
        paragraph = box(slide, 1, 1, "").text_frame.paragraphs[0]
        for words, properties in runs:
            run(paragraph, words, **properties)

    assert body((6, make)) == text


def test_a_note_at_the_foot_of_a_slide_stands_apart_from_the_number_that_it_explains():
    def make(slide):
        paragraph = box(slide, 1, 1, "").text_frame.paragraphs[0]
        run(paragraph, "sold 25")
        run(paragraph, "1", baseline="30000")
        paragraph = box(slide, 1, 6, "").text_frame.paragraphs[0]
        run(paragraph, "1", baseline="30000")
        run(paragraph, " Without returns.")

    assert body((6, make)) == "sold 25 [1]\n\n[1] Without returns."


@pytest.mark.parametrize(
    ("rows", "merge", "text"),
    [
        (
            [["City", "Spring", "Summer"], ["Oslo", "", "5"], ["Bergen", "4", "6"]],
            [],
            "City: Oslo; Summer: 5\nCity: Bergen; Spring: 4; Summer: 6",
        ),
        ([["City", "A", "B"], ["Oslo", "7", ""]], [((1, 1), (1, 2))], "City: Oslo; A: 7; B: 7"),
        ([["K", "V"], ["Oslo", "1"], ["", "2"]], [((1, 0), (2, 0))], "K: Oslo; V: 1\nK: Oslo; V: 2"),
        (
            [["Part", "A", ""], ["x", "1", "2"]],
            [((0, 1), (0, 2))],
            "Part: x; A: 1; A: 2",
        ),
    ],
)
def test_cells_keep_their_columns_and_spans_fill_theirs(rows, merge, text):
    assert body((6, table(rows, merge))) == text


def test_a_table_without_a_row_of_names_has_rows_of_values():
    assert body((6, table([["a", "", "b"], ["c", "d", "e"]], first_row=False))) == "a |  | b\nc | d | e"


def test_shapes_are_read_by_their_places():
    def columns(slide):
        for left, top, text in [(5, 1.6, "slow"), (1, 1.6, "cheap"), (5, 1, "Cons"), (1, 1, "Pros")]:
            box(slide, left, top, text, width=3)

    def rows(slide):
        for left, top, text in [(3.1, 3, "7 bar"), (1, 3, "Pressure"), (3.1, 1, "Pump"), (1, 1, "Name")]:
            box(slide, left, top, text)

    def grouped(slide):
        box(slide, 1, 3, "below")
        group = slide.shapes.add_group_shape()
        for left, text in [(6, "third"), (1, "first"), (3.5, "second")]:
            box(group, left, 1, text)

    assert body((6, columns)).split() == ["Pros", "cheap", "Cons", "slow"]
    assert body((6, rows)) == "Name\n\nPump\n\nPressure\n\n7 bar"
    assert body((6, grouped)).split() == ["first", "second", "third", "below"]


def test_the_parts_of_a_layout_are_read_column_by_column():
    def compare(slide):
        slide.shapes.title.text = "Compare"
        for place, text in zip([1, 2, 3, 4], ["Pros", "cheap", "Cons", "slow"], strict=True):
            slide.placeholders[place].text = text

    assert body((4, compare)) == "Pros\n\n- cheap\n\nCons\n\n- slow"


def test_what_no_reader_sees_is_left_out_and_named():
    def hidden(slide):
        slide.shapes.title.text = "Secret"
        slide._element.set("show", "0")

    def shapes(slide):
        slide.shapes.title.text = "Open"
        box(slide, 1, 1, "invisible")._element.nvSpPr.cNvPr.set("hidden", "1")
        box(slide, 1, -3, "beside")
        box(slide, 1, 3, "seen")

    document, remarks = read(deck((5, hidden), (5, shapes), (5, hidden)))
    assert document.text == "## Open\n\nseen"
    assert [remark.text for remark in remarks] == [
        "slides 1, 3 are hidden and left out",
        "hidden shapes and those beside the slide were left out of slide 2",
    ]
    (error,) = load_file("a.pptx", deck((5, hidden)))
    assert error.reason == "has no slide with text"


def test_comments_are_named():
    relation = (
        b'<Relationship Id="rIdC" Target="../comments/c1.xml" Type="http://x/comments"/></Relationships>'
    )
    data = rewritten(
        deck((5, titled("One")), (5, titled("Two"))),
        lambda name, old: old.replace(b"</Relationships>", relation) if "slide2.xml.rels" in name else old,
    )
    assert read(data)[1] == [Remark("deck.pptx", "comments of slide 2 were left out", whole=False)]


def test_notes_of_the_speaker_stand_after_their_slide():
    def noted(slide):
        slide.shapes.title.text = "Prices"
        slide.notes_slide.notes_text_frame.text = "Say 10 %.\nPause."

    document, _ = read(deck((5, noted), (5, titled("End"))))
    assert document.text == "## Prices\n\n[notes] Say 10 %.\n\n[notes] Pause.\n\n## End"


def test_shapes_for_newer_programs_are_read_once():
    def make(slide):
        shape = box(slide, 1, 1, "new")._element
        space = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
        both = etree.SubElement(shape.getparent(), f"{space}AlternateContent")
        etree.SubElement(both, f"{space}Choice", Requires="a14").append(shape)
        etree.SubElement(both, f"{space}Fallback").append(box(slide, 1, 1, "old")._element)

    assert body((6, make)) == "new"


@pytest.mark.parametrize(
    ("formula", "right"),
    [
        ("<m:r><m:t>F=ma</m:t></m:r>", "so F = ma ."),
        (
            "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>",
            "so x^2 .",
        ),
        (
            "<m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f>",
            "so a/b .",
        ),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_formulas_are_read_from_what_new_programs_show(formula, right, alone):
    math = f"<m:oMath>{formula}</m:oMath>"
    spaces = (
        'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
        'xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    inner = f"<a14:m {spaces}>{math}</a14:m>"
    if not alone:
        inner = (
            f'<mc:AlternateContent {spaces}><mc:Choice Requires="a14">{inner}</mc:Choice>'
            "<mc:Fallback><x/></mc:Fallback></mc:AlternateContent>"
        )

    def make(slide):
        paragraph = box(slide, 1, 1, "").text_frame.paragraphs[0]
        run(paragraph, "so ")
        paragraph._p.append(etree.fromstring(inner))
        run(paragraph, ".")

    assert body((6, make)).split() == right.split()


def test_other_kinds_of_the_format_and_damaged_packages_are_read():
    data = deck((5, titled("One")), (5, titled("Two")))
    show = rewritten(data, lambda _, old: old.replace(b"presentation.main+xml", b"slideshow.main+xml"))
    strict = rewritten(
        data,
        lambda _, old: re.sub(
            rb"http://schemas.openxmlformats.org/(\w+)/2006/(main|relationships)(?=[\"/])",
            rb"http://purl.oclc.org/ooxml/\1/\2",
            old,
        ),
    )
    for other in (show, strict):
        assert read(other, "a.ppsx")[0].text == "## One\n\n## Two"
    lost = rewritten(data, lambda name, old: None if name == "ppt/slides/slide1.xml" else old)
    document, remarks = read(lost)
    assert document.text == "## Two"
    assert remarks == [Remark("deck.pptx", "slide 1 cannot be read: damaged", whole=False)]
    layouts = rewritten(data, lambda name, old: None if "slideLayout" in name else old)
    assert read(layouts)[0].text == "## One\n\n## Two"


def test_slides_of_pictures_are_named_and_words_for_pictures_are_read():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixel = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel += chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")

    def picture(words):
        def make(slide):
            shape = slide.shapes.add_picture(io.BytesIO(pixel), 0, 0, Inches(1), Inches(1))
            shape._element.nvPicPr.cNvPr.set("descr", words)

        return make

    document, remarks = read(
        deck(
            (6, picture("")),
            (6, picture("Pump 7 with its valve")),
            (6, picture("A chart. Description automatically generated")),
        )
    )
    assert document.text == "## Slide 2\n\n[image: Pump 7 with its valve]"
    assert remarks == [Remark("deck.pptx", "slides 1, 3 have no text; recognise them (OCR)", whole=False)]


def test_files_that_are_no_presentation_are_refused_with_the_reason():
    data = deck((5, titled("One")))
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    no_list = rewritten(data, lambda name, old: b"<x/>" if name == "ppt/presentation.xml" else old)
    bomb = rewritten(data, lambda name, old: b" " * 5_000_000 if name == "ppt/presProps.xml" else old)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bomb)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    for broken, reason in [
        (locked, "needs a password"),
        (b"PK not a zip", "is named PPTX but is not one"),
        (no_list, "the list of slides is missing"),
        (out.getvalue(), "zip bomb"),
    ]:
        (error,) = load_file("a.pptx", broken)
        assert isinstance(error, UnreadableDocument)
        assert reason in error.reason
    (error,) = load_file("a.pptx", deck((5, titled("1")), (5, titled("2"))), LoadLimits(max_pages=1))
    assert "2 slides; at most 1 are read" in error.reason
