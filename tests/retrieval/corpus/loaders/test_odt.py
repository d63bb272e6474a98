import io
import zipfile

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document
from tests.support.packages.odt import SPACES, TEXT, odt, text_style

RAISED = text_style("Up", 'style:text-position="super 58%"')
LOWERED = text_style("Down", 'style:text-position="-33% 58%"')
STRUCK = text_style("Gone", 'style:text-line-through-style="solid"')
HIDDEN = text_style("Hidden", 'text:display="none"')


def read(data, name="a.odt"):
    found = list(load_file(name, data))
    documents = [one for one in found if isinstance(one, Document)]
    assert len(documents) == 1, found
    return documents[0], [one for one in found if isinstance(one, Remark)]


def text(body, **options):
    return read(odt(body, **options))[0].text


def refused(data, name="a.odt"):
    (error,) = load_file(name, data)
    assert isinstance(error, UnreadableDocument)
    return error.reason


def p(*parts, style=""):
    return f'<text:p text:style-name="{style}">{"".join(parts)}</text:p>'


def span(style, words):
    return f'<text:span text:style-name="{style}">{words}</text:span>'


def test_headings_have_their_level_and_the_first_is_the_title():
    document, remarks = read(
        odt(
            '<text:h text:outline-level="1">Pumps</text:h>'
            + p("See below.")
            + '<text:h text:outline-level="3">Valves</text:h>'
        )
    )
    assert (document.text, document.title) == ("# Pumps\n\nSee below.\n\n### Valves", "Pumps")
    assert document.metadata == {"source": "a.odt"}
    assert not remarks


def test_the_title_of_the_file_comes_first_and_a_title_paragraph_is_a_heading():
    meta = f"<office:document-meta {SPACES}><office:meta><dc:title>Manual</dc:title></office:meta></office:document-meta>"
    styles = text_style("P1", "", family="paragraph", parent="Title")
    document, _ = read(odt(p("Pumps", style="P1"), styles=styles, parts={"meta.xml": meta}))
    assert (document.text, document.title) == ("# Pumps", "Manual")


def test_numbers_of_headings_are_read_where_the_file_has_them():
    levels = "".join(
        f'<text:outline-level-style text:level="{n}" style:num-format="1" text:display-levels="{n}"/>'
        for n in (1, 2)
    )
    heads = [(1, "A"), (2, "B"), (2, "C"), (1, "D"), (2, "E")]
    body = "".join(f'<text:h text:outline-level="{level}">{words}</text:h>' for level, words in heads)
    title = p("Pumps", style="Title")
    numbered = text(title + body, common=f"<text:outline-style>{levels}</text:outline-style>")
    assert numbered.split("\n\n") == ["# Pumps", "# 1 A", "## 1.1 B", "## 1.2 C", "# 2 D", "## 2.1 E"]


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("up to 10" + span("Up", "9") + " vectors", "up to 10^9 vectors"),
        ("H" + span("Down", "2") + "O", "H2O"),
        ("fee " + span("Gone", "40") + " 50", "fee [deleted: 40] 50"),
        ("seen" + span("Hidden", " unseen") + ".", "seen."),
        ('seen<text:hidden-text text:is-hidden="true" text:string-value="x">x</text:hidden-text>', "seen"),
        ('a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d', "a b c\nd"),
        (
            "<text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>kanji</text:ruby-text></text:ruby>",
            "漢字",
        ),
        ('<text:a xlink:href="https://example.org">fees</text:a> of 2024', "fees of 2024"),
    ],
)
def test_text_is_read_as_it_is_shown(words, right):
    assert text(p(words), styles=RAISED + LOWERED + STRUCK + HIDDEN) == right


def test_a_style_has_what_its_parents_say_unless_it_says_otherwise():
    styles = (
        text_style("Child", "", parent="Gone")
        + text_style("Back", 'style:text-line-through-style="none"', parent="Gone")
        + text_style("Quiet", "", family="paragraph", parent="Unseen")
    )
    common = STRUCK + text_style("Unseen", 'text:display="none"', family="paragraph")
    body = p(span("Child", "old"), " ", span("Back", "new")) + p("unseen", style="Quiet")
    assert text(body, styles=styles, common=common) == "[deleted: old] new"


def test_what_is_not_shown_is_left_out():
    hidden = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        '<text:section text:display="none"><text:p>section</text:p></text:section>'
        '<text:section text:display="condition" text:is-hidden="true"><text:p>condition</text:p></text:section>'
        '<text:p><text:hidden-paragraph text:is-hidden="true"/>paragraph</text:p>'
        "<text:table-of-content><text:index-body><text:p>Pumps 3</text:p></text:index-body></text:table-of-content>"
    )
    assert text(hidden + "<text:section><text:p>shown</text:p></text:section>") == "shown"


NUMBERS = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
    'style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" '
    'style:num-suffix=")"/></text:list-style>'
    '<text:list-style style:name="M"><text:list-level-style-number text:level="1" style:num-format="I"/>'
    '<text:list-level-style-number text:level="2" style:num-format="1" text:display-levels="2"/></text:list-style>'
    '<text:list-style style:name="B"><text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'
    "</text:list-style>"
)


def items(*parts, style="L", more=""):
    inner = "".join(f"<text:list-item>{part}</text:list-item>" for part in parts)
    return f'<text:list text:style-name="{style}" {more}>{inner}</text:list>'


def test_items_have_their_numbers():
    inner = items(p("left"), p("right"))
    assert text(items(p("Open") + inner, p("Close")), styles=NUMBERS) == (
        "1. Open\n  a) left\n  b) right\n2. Close"
    )
    nested = items(p("Open") + items(p("left"), style="M"), style="M")
    assert text(nested, styles=NUMBERS) == "I Open\n  I.1 left"
    assert text(items(p("one"), style="B"), styles=NUMBERS) == "- one"


def test_a_list_goes_on_after_a_paragraph_and_starts_where_it_says():
    first = items(p("one"), p("two"), more='xml:id="x"')
    for more in ('text:continue-list="x"', 'text:continue-numbering="true"'):
        assert text(first + p("Pause.") + items(p("three"), more=more), styles=NUMBERS).endswith("3. three")
    assert text(first + p("Pause.") + items(p("again")), styles=NUMBERS).endswith("1. again")
    started = '<text:list text:style-name="L"><text:list-item text:start-value="7"><text:p>x</text:p></text:list-item></text:list>'
    assert text(started, styles=NUMBERS) == "7. x"


def test_a_second_paragraph_of_an_item_has_no_number():
    assert text(items(p("one") + p("more"), p("two")), styles=NUMBERS) == "1. one\n\nmore\n\n2. two"


def cell(words="", more=""):
    return f"<table:table-cell {more}>{p(words) if words else ''}</table:table-cell>"


def row(*cells, more=""):
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


COVERED = "<table:covered-table-cell/>"


@pytest.mark.parametrize(
    ("head", "rows", "right"),
    [
        (
            row(cell("City"), cell("Spring"), cell("Summer")),
            row(cell("Oslo"), cell(), cell("5")),
            "City: Oslo; Summer: 5",
        ),
        (
            row(cell("City"), cell("2024", 'table:number-columns-spanned="2"'), COVERED)
            + row(cell(), cell("Spring"), cell("Summer")),
            row(cell("Oslo"), cell("4"), cell("5")),
            "City: Oslo; 2024 Spring: 4; 2024 Summer: 5",
        ),
        (
            row(cell("K"), cell("V")),
            row(cell("Oslo", 'table:number-rows-spanned="2"'), cell("1")) + row(COVERED, cell("2")),
            "K: Oslo; V: 1\nK: Oslo; V: 2",
        ),
        (
            row(cell("A"), cell("B"), cell("C")),
            row(cell(more='table:number-columns-repeated="2"'), cell("9"))
            + row(cell("7", 'table:number-columns-repeated="3"'), more='table:number-rows-repeated="2"'),
            "C: 9\nA: 7; B: 7; C: 7\nA: 7; B: 7; C: 7",
        ),
        (
            row(cell("A")),
            row(cell("seen")) + row(cell("unseen"), more='table:visibility="collapse"'),
            "A: seen",
        ),
    ],
)
def test_cells_keep_their_columns(head, rows, right):
    table = f"<table:table><table:table-header-rows>{head}</table:table-header-rows>{rows}</table:table>"
    assert text(table) == right


def test_a_first_row_in_the_style_of_headings_names_the_columns():
    styles = text_style("H1", "", family="paragraph", parent="Table_20_Heading")
    head = "".join(
        f"<table:table-cell>{p(words, style='H1')}</table:table-cell>" for words in ("City", "Fee")
    )
    table = f"<table:table>{row(head)}{row(cell('Oslo'), cell('5'))}</table:table>"
    assert text(table, styles=styles) == "City: Oslo; Fee: 5"
    assert text(table) == "City | Fee\nOslo | 5"


def note(mark, words, kind="footnote"):
    return (
        f'<text:note text:note-class="{kind}"><text:note-citation>{mark}</text:note-citation>'
        f"<text:note-body><text:p>{words}</text:p></text:note-body></text:note>"
    )


def test_notes_stand_apart_from_the_numbers_that_they_explain():
    assert text(p("in 1999", note("2", "The note."), ".")) == "in 1999 [2].\n\n[2] The note."
    assert text(p("fee", note("i", "End.", "endnote"))) == "fee [i]\n\n[i] End."
    table = f"<table:table>{row(cell('5' + note('1', 'Net.')), cell('6'))}</table:table>"
    assert text(table) == "5 [1] | 6\n\n[1] Net."


def test_comments_and_text_boxes_stand_after_their_paragraph():
    comment = "<office:annotation><dc:creator>Ann</dc:creator><text:p>Check.</text:p></office:annotation>"
    box = "<draw:frame><draw:text-box><text:p>Boxed.</text:p></draw:text-box></draw:frame>"
    assert text(p("Fee", comment, " 5")) == "Fee 5\n\n[comment by Ann] Check."
    assert text(p("Fee", box, " 5")) == "Fee 5\n\nBoxed."
    shape = "<draw:custom-shape><text:p>Drawn.</text:p></draw:custom-shape>"
    assert text(p("Fee", shape, " 5")) == "Fee 5\n\nDrawn."


MATH = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi>'
    "<msup><mi>c</mi><mn>2</mn></msup></mrow><annotation>E = m c^2</annotation></semantics></math>"
)


def test_formulas_charts_and_pictures():
    frame = '<draw:frame><draw:object xlink:href="./Object 1"/><draw:image/></draw:frame>'
    assert text(p("By ", frame, "."), parts={"Object 1/content.xml": MATH}) == "By E = m c^2 ."
    chart = (
        f"<office:document-content {SPACES}><office:body><office:chart><chart:chart><chart:title>"
        "<text:p>Sales</text:p></chart:title><table:table><table:table-header-rows>"
        + row(cell(), cell("North"))
        + "</table:table-header-rows><table:table-rows>"
        + row(cell("2019"), cell("7"))
        + "</table:table-rows></table:table></chart:chart></office:chart></office:body></office:document-content>"
    )
    assert text(p(frame), parts={"Object 1/content.xml": chart}) == "Sales\n\n2019; North: 7"
    picture = "<draw:frame><draw:image/><svg:desc>Pump 7 with its valve</svg:desc></draw:frame>"
    assert text(p("See ", picture)) == "See [image: Pump 7 with its valve]"
    document, remarks = read(odt(p("x", frame)))
    assert document.text == "x"
    assert remarks == [Remark("a.odt", "1 embedded object was left out", whole=False)]


def test_preformatted_paragraphs_are_code():
    styles = text_style("C", "", family="paragraph", parent="Preformatted_20_Text")
    body = p("def f():", style="C") + p('<text:s text:c="4"/>return 1', style="C") + p("Done.")
    assert text(body, styles=styles) == "```\ndef f():\n    return 1\n```\n\nDone."


def test_one_file_of_xml_is_read_too_and_the_content_decides():
    flat = (
        f'<?xml version="1.0"?><office:document {SPACES} office:mimetype="{TEXT}"><office:body><office:text>'
        "<text:p>flat</text:p></office:text></office:body></office:document>"
    ).encode()
    assert read(flat, "a.fodt")[0].text == "flat"
    assert read(flat, "unnamed")[0].text == "flat"
    assert read(odt(p("inside")), "unnamed")[0].text == "inside"


def test_files_that_cannot_be_read_are_refused_with_the_reason():
    locked = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    assert refused(odt(p("x"), manifest=locked)) == "needs a password; save it without one"
    assert "is named ODT but is not one" in refused(b"text")
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("mimetype", TEXT)
    assert refused(empty.getvalue()) == "holds no OpenDocument text"
    wide = row(cell("x", more='table:number-columns-repeated="999999999"'))
    assert "1000 columns" in refused(odt(f"<table:table>{wide}</table:table>"))
    long = row(cell("x"), more='table:number-rows-repeated="999999999"')
    assert "200000 rows" in refused(odt(f"<table:table>{long}</table:table>"))
    assert "cannot be read as" in refused(odt("<text:section>" * 300 + "</text:section>" * 300))


def test_entities_are_not_resolved():
    data = odt(p("kept &bomb; here"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            entity = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY bomb "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
            new.writestr(name, entity + old.read(name) if name == "content.xml" else old.read(name))
    assert read(out.getvalue())[0].text == "kept here"
