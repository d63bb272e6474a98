import pytest

from retrieval.corpus import Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

FONTS = (
    r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial CYR;}{\f2\fcharset2 Symbol;}"
    r"{\f3\fcharset128 MS Mincho;}{\f4\fcharset2 Wingdings;}}"
)
STYLES = (
    r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 Chapter;}{\s2\sbasedon1 heading 2;}{\s3 Title;}"
    r"{\*\cs10 \additive Default Font;}}"
)


def rtf(body, head=""):
    return (r"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + STYLES + head + body + "}").encode("latin-1")


def read(data, name="a.rtf"):
    found = list(load_file(name, data))
    documents = [one for one in found if isinstance(one, Document)]
    assert len(documents) == 1, found
    return documents[0], [one for one in found if isinstance(one, Remark)]


def text(body, head=""):
    document, remarks = read(rtf(body, head))
    assert not remarks
    return document.text


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (r"up to 10{\super 9} vectors", "up to 10^9 vectors"),
        (r"in 1999\super 2\nosupersub\par", "in 1999 [2]"),
        (r"H{\sub 2}O and H{\dn6 2}O", "H2O and H2O"),
        (r"2{\up6 10}", "2^10"),
        (r"fee {\strike 40} 50", "fee [deleted: 40] 50"),
        (r"fee \striked1 40\striked0  50", "fee [deleted: 40] 50"),
        (r"seen{\v  unseen} here", "seen here"),
        (r"seen{\deleted  unseen}\v  unseen\v0  here", "seen here"),
        (r"caf\'e9 5 \u8364? \u8364 ?", "café 5 € €"),
        (r"{\uc2 \u8364\'a4\'80}{\uc0 \u8364}5", "€€5"),
        (r"\u-10179?\u-8704?!", "😀!"),
        (r"{\f1 \'d6\'e5\'ed\'e0} \'d6", "Цена Ö"),
        (r"{\f3 \'89\'bf\'8ai}", "価格"),
        (r"{\f2 \'a3} 5 and {\f2 b}", "≤ 5 and β"),
        ("a line\r\nend in\n the file", "a lineend in the file"),
        (r"a\line b\tab c\~d\_e\-f \emdash  \ldblquote g\rdblquote", "a\nb c d-ef — “g”"),
        (r"\{braces\} and \\ signs", "{braces} and \\ signs"),
        (r'{\field{\*\fldinst HYPERLINK "http://x.org"}{\fldrslt the fees}} here', "the fees here"),
        (r"{\pict\pngblip 89504e47}{\*\unknown no}{\object{\*\objdata 00}{\result shown}}", "shown"),
        (r"{\header\pard Top\par}{\footer Foot}Body{\xe index}{\*\bkmkstart x}", "Body"),
        (r"{\upr{old}{\*\ud new}}", "new"),
        ("a\\bin5 \\par}b", "ab"),
    ],
)
def test_text_is_read_as_it_is_shown(body, right):
    assert text(body) == right


def test_headings_come_from_the_outline_and_from_styles():
    body = r"\pard\s1 One\par\pard\s2 Two\par\pard\outlinelevel2 Three\par\pard\plain Text.\par\pard\outlinelevel9 More."
    document, _ = read(rtf(body))
    assert document.text == "# One\n\n## Two\n\n### Three\n\nText.\n\nMore."
    assert document.title == "One"
    named, _ = read(rtf(r"\pard\s3 Manual\par", r"{\info{\title Pumps {\b 7}}{\author Ann}}"))
    assert (named.title, named.text) == ("Pumps 7", "# Manual")


@pytest.mark.parametrize(
    ("marker", "right"),
    [
        (r"{\listtext\pard\plain 2.\tab}", "2. Open"),
        (r"{\pntext\f0 b)\tab}", "b) Open"),
        (r"{\listtext 1.2.3\tab}", "1.2.3 Open"),
        (r"{\listtext\f2\'b7\tab}", "- Open"),
        (r"{\listtext\f4 n\tab}", "- Open"),
        (r"{\listtext o\tab}", "- Open"),
        (r"{\*\pn\pnlvlblt{\pntxtb\'b7}}{\pntext\'b7\tab}", "- Open"),
    ],
)
def test_items_have_their_numbers(marker, right):
    assert text(rf"\pard{marker}\ls1 Open\par") == right


def test_items_have_their_depth_and_headings_their_numbers():
    body = r"\pard\ls1\ilvl0{\listtext 1.\tab}A\par\pard\ls1\ilvl1{\listtext a)\tab}B\par"
    assert text(body) == "1. A\n  a) B"
    assert text(r"\pard\s1{\listtext 3\tab}Fees\par") == "# 3 Fees"


def row(*cells, edges=None, start=r"\trowd"):
    edges = edges or [rf"\cellx{1000 * number}" for number, _ in enumerate(cells, 1)]
    return start + "".join(edges) + r"\pard\intbl " + "".join(rf"{cell}\cell " for cell in cells) + r"\row"


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        (
            row("City", "Spring", "Summer", start=r"\trowd\trhdr") + row("Oslo", "", "5"),
            "City: Oslo; Summer: 5",
        ),
        (row("a", "b") + row("c", "") + row("", "d"), "a | b\nc |\n | d"),
        (
            row("K", "A", "B", start=r"\trowd\trhdr")
            + row("x", "7", "", edges=[r"\cellx1000", r"\clmgf\cellx2000", r"\clmrg\cellx3000"]),
            "K: x; A: 7; B: 7",
        ),
        (
            row("K", "A", "B", start=r"\trowd\trhdr") + row("x", "7", edges=[r"\cellx1000", r"\cellx3000"]),
            "K: x; A: 7; B: 7",
        ),
        (
            row("K", "2024", edges=[r"\cellx1000", r"\cellx3000"], start=r"\trowd\trhdr")
            + row("", "A", "B", start=r"\trowd\trhdr")
            + row("x", "7", "8", edges=[r"\cellx1003", r"\cellx1998", r"\cellx3001"]),
            "K: x; 2024 A: 7; 2024 B: 8",
        ),
        (
            row("K", "V", start=r"\trowd\trhdr")
            + row("x", "1", edges=[r"\clvmgf\cellx1000", r"\cellx2000"])
            + row("", "2", edges=[r"\clvmrg\cellx1000", r"\cellx2000"]),
            "K: x; V: 1\nK: x; V: 2",
        ),
    ],
)
def test_cells_keep_their_columns(rows, right):
    assert text(rows + r"\pard After.\par") == right + "\n\nAfter."


def test_cells_have_paragraphs_and_tables_in_them():
    assert (
        text(r"\trowd\cellx1000\cellx2000\pard\intbl one\par two\cell 10{\super 9}\cell\row")
        == "one two | 10^9"
    )
    inner = (
        r"\trowd\cellx3000\pard\intbl Sum \pard\itap2 a\nestcell b\nestcell"
        r"{\*\nesttableprops\trowd\cellx10\cellx20\nestrow}{\nonesttables\par}\pard\intbl\cell\row"
    )
    assert text(inner).startswith("Sum a | b")


def test_notes_stand_apart_from_the_numbers_that_they_explain():
    note = r"{\super\chftn{\footnote\pard\plain{\super\chftn} The note.}}"
    assert (
        text(rf"in 1999{note} and 2000{note}.\par")
        == "in 1999 [1] and 2000 [2].\n\n[1] The note.\n\n[2] The note."
    )
    end = r"{\super\chftn}{\footnote\ftnalt{\super\chftn} At the end.}"
    assert text(rf"fee{end}\par") == "fee [i]\n\n[i] At the end."
    own = r"{\super *}{\footnote {\super *} Without tax.}"
    assert text(rf"fee 5{own}\par") == "fee 5 [*]\n\n[*] Without tax."
    table = rf"\trowd\cellx1000\cellx2000\pard\intbl 5{note}\cell 6\cell\row"
    assert text(table) == "5 [1] | 6\n\n[1] The note."


def test_comments_and_text_boxes_stand_after_their_paragraph():
    comment = r"{\*\atnid AL}{\*\atnauthor Ann}{\*\annotation{\*\atndate 1}\pard Check.}"
    assert text(rf"Fee{comment} 5\par Next.") == "Fee 5\n\n[comment by Ann] Check.\n\nNext."
    box = r"{\shp{\*\shpinst\shpleft1{\sp{\sn fill}{\sv 1}}{\shptxt\pard Boxed.\par}}{\shprslt old}}"
    assert text(rf"Fee{box} 5\par") == "Fee 5\n\nBoxed."
    assert text(rf"{{\header{box}}}Body") == "Body"


def test_formulas_are_left_out_with_a_remark():
    document, remarks = read(rtf(r"By {\mmath{\*\moMath{\mr E=mc}}}.\par"))
    assert document.text == "By ."
    assert remarks == [Remark("a.rtf", "1 formula was left out; save it as DOCX", whole=False)]


def test_the_content_decides_and_broken_files_are_read_or_refused():
    assert read(rtf("inside"), "a.doc")[0].text == "inside"
    assert read(rb"{\rtf1 no end {\b here", "a.rtf")[0].text == "no end here"
    assert read(rb"{\rtf1 too}} many}}} ends", "a.rtf")[0].text == "too many ends"
    assert read(rb"{\rtf1\trowd\cellx10\intbl a\cell b", "a.rtf")[0].text == "a | b"
    for data, reason in [
        (b"{\\rtf1 " + b"{" * 5000, "nested too deeply"),
        (rb"{\rtf1}", "holds no text"),
    ]:
        (error,) = load_file("a.rtf", data)
        assert isinstance(error, UnreadableDocument)
        assert reason in error.reason


def test_a_file_in_another_encoding_as_a_whole():
    assert read(rb"{\rtf1\ansi\ansicpg1251 \'d6\'e5\'ed\'e0}")[0].text == "Цена"
    assert read(rb"{\rtf1\mac caf\'8e}")[0].text == "café"
    assert read("{\\rtf1\\ansi\\ansicpg65001 café}".encode())[0].text == "café"
