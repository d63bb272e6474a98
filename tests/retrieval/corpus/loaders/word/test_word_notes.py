"""Notes and comments of Word documents stand in the section that refers to them, and their marks join nothing."""

import pytest

from retrieval.corpus import load_file
from tests.support.packages.word import p, r, style, tbl, tr, word_file


def text_of(body, **parts):
    (document,) = load_file("a.docx", word_file(body, **parts))
    return document.text


def ref(kind, identifier, more="", following=""):
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Reference w:id="{identifier}"{more}/>{following}</w:r>'


def note(kind, identifier, text, more=""):
    own = f"<w:p><w:r><w:{kind}Ref/></w:r>{r(text)}</w:p>"
    return f'<w:{kind} w:id="{identifier}"{more}>{own}</w:{kind}>'


OWN_MARK = ' w:customMarkFollows="1"'
PAGE = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>'
    f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{r("3")}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
FOOTNOTES = (
    note("footnote", 0, "line", ' w:type="separator"')
    + note("footnote", 2, "The cap is 25000 euros.")
    + note("footnote", 3, "Without tax.")
    + note("footnote", 9, "Nobody refers to this.")
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"<w:p>{r('The load is 450')}{ref('footnote', 2)}{r(' euros.')}</w:p>", "The load is 450 [1] euros.\n\n[1] The cap is 25000 euros."),
        (f"<w:p>{r('since 1999')}{ref('footnote', 3)}</w:p>", "since 1999 [1]\n\n[1] Without tax."),
        (
            f"<w:p>{r('one')}{ref('footnote', 3)}{r(' two')}{ref('footnote', 2)}</w:p>",
            "one [1] two [2]\n\n[1] Without tax.\n\n[2] The cap is 25000 euros.",
        ),
        (f"<w:p>{r('none')}{ref('footnote', 77)}</w:p>", "none"),
        (
            f"<w:p>{r('450')}{ref('footnote', 2, OWN_MARK, '<w:t>*</w:t>')}{r(' and 3')}{ref('footnote', 3)}</w:p>",
            "450 [*] and 3 [1]\n\n[*] The cap is 25000 euros.\n\n[1] Without tax.",
        ),
        (f"<w:p><w:del>{ref('footnote', 2)}</w:del>{r('kept')}{ref('footnote', 3)}</w:p>", "kept [1]\n\n[1] Without tax."),
    ],
)  # fmt: skip
def test_footnotes(body, text):
    assert text_of(body, footnotes=FOOTNOTES) == text


def test_endnotes_have_marks_of_their_own_form():
    body = f"<w:p>{r('in 2020')}{ref('endnote', 2)}{r(' and 2021')}{ref('endnote', 3)}</w:p>"
    notes = note("endnote", 2, "First.") + note("endnote", 3, "Second.")
    assert text_of(body, endnotes=notes) == "in 2020 [i] and 2021 [ii]\n\n[i] First.\n\n[ii] Second."


@pytest.mark.parametrize(
    ("settings", "marks"),
    [
        ('<w:footnotePr><w:numFmt w:val="lowerLetter"/></w:footnotePr>', "[a]"),
        ('<w:footnotePr><w:numFmt w:val="chicago"/></w:footnotePr>', "[*]"),
        ('<w:footnotePr><w:numStart w:val="5"/></w:footnotePr>', "[5]"),
    ],
)
def test_the_settings_number_notes(settings, marks):
    body = f"<w:p>{r('450')}{ref('footnote', 2)}</w:p>"
    assert text_of(body, footnotes=FOOTNOTES, settings=settings).startswith(f"450 {marks}\n\n{marks} The cap")


def test_comments_name_who_wrote_them():
    body = f"<w:p><w:commentRangeStart w:id='4'/>{r('450')}<w:commentRangeEnd w:id='4'/>{ref('comment', 4)}{r(' euros.')}</w:p>"
    comments = f'<w:comment w:id="4" w:author="Ann">{p("Is this right?")}{p("Please check.")}</w:comment>'
    assert (
        text_of(body, comments=comments)
        == "450 [comment 1] euros.\n\n[comment 1] Ann: Is this right? Please check."
    )


def test_notes_stand_at_the_end_of_their_section():
    styles = style("H", "", name="heading 1")
    heading = '<w:pStyle w:val="H"/>'
    body = (
        f"<w:p>{r('before')}{ref('footnote', 2)}</w:p>" + p("more")
        + f"<w:p><w:pPr>{heading}</w:pPr>{r('Terms')}{ref('footnote', 3)}</w:p>" + p("text") + p("Next", heading)
    )  # fmt: skip
    assert text_of(body, styles=styles, footnotes=FOOTNOTES) == (
        "before [1]\n\nmore\n\n[1] The cap is 25000 euros.\n\n# Terms [2]\n\ntext\n\n[2] Without tax.\n\n# Next"
    )


def test_notes_of_cells_stand_below_the_table():
    cell = f"<w:tc><w:p>{r('450')}{ref('footnote', 2)}</w:p></w:tc>"
    table = tbl(tr("Item", "EUR", properties="<w:tblHeader/>"), tr("Fee", cell))
    assert text_of(table, footnotes=FOOTNOTES) == "Item: Fee; EUR: 450 [1]\n\n[1] The cap is 25000 euros."


def test_notes_written_by_hand():
    raised = '<w:vertAlign w:val="superscript"/>'
    body = f"<w:p>{r('about 25')}{r('3', raised)}{r(' EUR')}</w:p><w:p>{r('3', raised)}{r(' Without tax.')}</w:p>"
    assert text_of(body) == "about 25 [3] EUR\n\n[3] Without tax."


def test_headers_and_footers_once_and_without_numbers_of_pages():
    sections = '<w:sectPr><w:headerReference w:type="default" r:id="idheader"/><w:footerReference r:id="idfooter"/></w:sectPr>'
    footer = (
        p("Agreement AG-2024-17")
        + f"<w:p>{r('Page ')}<w:fldSimple w:instr=' PAGE '>{r('3')}</w:fldSimple></w:p>"
    )
    body = p("One", sections) + p("Two") + sections
    text = text_of(body, header=p("Agreement AG-2024-17"), footer=footer)
    assert text == "Agreement AG-2024-17\n\nOne\n\nTwo"


@pytest.mark.parametrize(
    ("footer", "left"),
    [
        (f"<w:p>{r('AG-17')}<w:r><w:tab/><w:t>Page </w:t></w:r>{PAGE}{r(' of 9')}</w:p>", "AG-17"),
        (
            f"<w:p><w:r><w:t>AG-17</w:t><w:tab/></w:r>{PAGE}<w:r><w:ptab/></w:r>{r('Rev 4')}</w:p>",
            "AG-17 Rev 4",
        ),
        (f"<w:p>{PAGE}{r(' / 9')}</w:p>{p('AG-17')}", "AG-17"),
        (
            f"<w:p>{r('Rev 4')}<w:r><w:pict><v:textbox><w:txbxContent><w:p>{r('Seite ')}{PAGE}</w:p>"
            "</w:txbxContent></v:textbox></w:pict></w:r></w:p>",
            "Rev 4",
        ),
    ],
)
def test_only_the_part_of_a_footer_with_the_number_of_the_page_is_left_out(footer, left):
    sections = '<w:sectPr><w:footerReference w:type="default" r:id="idfooter"/></w:sectPr>'
    assert text_of(p("Text") + sections, footer=footer) == f"{left}\n\nText"


def test_damaged_notes_are_named_and_the_text_is_read():
    document, remark = load_file("a.docx", word_file(p("Text"), footnotes="<w:footnote>"))
    assert document.text == "Text"
    assert "its footnotes are damaged" in remark.text
    assert not remark.whole
