"""Word documents of all forms are read, or refused with what to do."""

import io
import zipfile

import docx
import pytest

from retrieval.corpus import Chunker, LoadLimits, load_file
from retrieval.errors import UnreadableDocument
from tests.support.packages.word import item, lists, p, r, style, tbl, tr, word_file


def one(name, data, **limits):
    (document,) = load_file(name, data, LoadLimits(**limits))
    return document


def reason(name, data):
    (found,) = load_file(name, data)
    assert isinstance(found, UnreadableDocument), found
    return found.reason


@pytest.mark.parametrize("name", ["a.docx", "a.docm", "a.dotx", "a.dotm", "A.DOCM", "a", "a.zip"])
def test_documents_and_templates_with_and_without_macros(name):
    assert one(name, word_file(p("Text"))).text == "Text"


@pytest.mark.parametrize(
    "main", ["word/document.xml", "word/document2.xml", "Word/Document.xml", "word\\document.xml"]
)
def test_the_main_part_may_have_other_names(main):
    data = word_file(p("Text")) if "\\" in main else word_file(p("Text"), main=main)
    if "\\" in main:
        files = {
            info.filename: zipfile.ZipFile(io.BytesIO(data)).read(info)
            for info in zipfile.ZipFile(io.BytesIO(data)).infolist()
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for member, content in files.items():
                info = zipfile.ZipInfo(member)
                info.filename = member.replace("/", "\\")
                archive.writestr(info, content)
        data = out.getvalue()
    assert one("a.docx", data).text == "Text"


RAISED = '<w:vertAlign w:val="superscript"/>'


def test_the_main_part_is_found_by_its_type():
    types = b'<Types><Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'
    data = word_file(p("Text"), main="word/other.xml", types=types)
    assert one("a.docx", data).text == "Text"
    assert "not read" in reason("a.docx", word_file(p("Text"), main="word/other.xml"))


def test_strict_open_xml_reads_the_same():
    body = (
        p("Terms", '<w:pStyle w:val="H"/>') + item("x") + f"<w:p>{r('10')}{r('6', RAISED)}</w:p>"
        + "<w:p><m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath></w:p>" + p("gone", "", '<w:vanish w:val="on"/>')
        + tbl(tr("a", "b", properties="<w:tblHeader/>"), tr("", "5"))
    )  # fmt: skip
    parts = {"styles": style("H", "", name="heading 1"), "numbering": lists(("decimal", "Step %1"))}
    expected = one("a.docx", word_file(body, **parts)).text
    assert one("a.docx", word_file(body, strict=True, **parts)).text == expected
    assert expected == "# Terms\n\nStep 1 x\n\n10^6\n\na = b\n\nb: 5"


def test_titles():
    heading = style("H", "", name="heading 1")
    body = p("Terms", '<w:pStyle w:val="H"/>') + p("x")
    assert one("a.docx", word_file(body, title="The agreement", styles=heading)).title == "The agreement"
    assert one("a.docx", word_file(body, styles=heading)).title == "Terms"
    assert one("a.docx", word_file(p("x"))).title == ""


def test_inserted_pages_and_texts_are_read():
    page, text = b"<h2>Fees</h2><p>450 euros", "Größe".encode()
    body = p("Above") + '<w:altChunk r:id="a.html"/><w:altChunk r:id="b.txt"/>'
    data = word_file(body, other={"a.html": page, "b.txt": text})
    assert one("a.docx", data).text == "Above\n\n## Fees\n\n450 euros\n\nGröße"
    assert "1 inserted file" in reason(
        "a.docx", word_file('<w:altChunk r:id="c.mht"/>', other={"c.mht": b"x"})
    )


CHART = """<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart><c:plotArea>
<c:barChart><c:ser><c:tx><c:v>Pumps</c:v></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>2019</c:v></c:pt>
</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:pt idx="0"><c:v>7</c:v></c:pt></c:numCache></c:numRef>
</c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"""
DIAGRAM = """<d:dataModel xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/diagram"
xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><d:ptLst><d:pt modelId="0" type="doc"/>
<d:pt modelId="1"><d:t><a:bodyPr/><a:p><a:r><a:t>Drain the tank</a:t></a:r></a:p></d:t></d:pt></d:ptLst>
<d:cxnLst><d:cxn modelId="5" srcId="0" destId="1" srcOrd="0"/></d:cxnLst></d:dataModel>"""


@pytest.mark.parametrize(
    ("drawing", "content", "text"),
    [
        ('<c:chart r:id="part.xml"/>', CHART, "See\n\n2019; Pumps: 7"),
        ('<dgm:relIds r:dm="part.xml"/>', DIAGRAM, "See\n\n- Drain the tank"),
    ],
)
def test_charts_and_diagrams_are_read_after_their_paragraph(drawing, content, text):
    body = f"<w:p>{r('See')}<w:r><w:drawing>{drawing}</w:drawing></w:r></w:p>"
    assert one("a.docx", word_file(body, other={"part.xml": content.encode()})).text == text


@pytest.mark.parametrize(
    "drawing", ['<c:chart r:id="part.xml"/>', '<dgm:relIds r:dm="part.xml"/>', '<c:chart r:id="x"/>']
)
@pytest.mark.parametrize("content", [b"<broken", b"<c:chartSpace xmlns:c='x'/>"])
def test_charts_and_diagrams_that_cannot_be_read_are_named(drawing, content):
    body = f"<w:p>{r('See')}<w:r><w:drawing>{drawing}</w:drawing></w:r></w:p>"
    document, remark = load_file("a.docx", word_file(body, other={"part.xml": content}))
    assert document.text == "See"
    assert not remark.whole
    assert "was not read" in remark.text


def test_the_switch_keeps_the_table_of_contents():
    styles = style("TOC1", "", name="toc 1")
    body = p("Terms 3", '<w:pStyle w:val="TOC1"/>') + p("Text")
    assert one("a.docx", word_file(body, styles=styles)).text == "Text"
    assert one("a.docx", word_file(body, styles=styles), main_content=False).text == "Terms 3\n\nText"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "needs a password"),
        ("a", OLE + "EncryptedPackage".encode("utf-16-le"), "needs a password"),
        ("a.docx", OLE, "save it as DOCX"),
        ("a.doc", OLE, "save it as DOCX"),
        ("a.docm", b"text", "named DOCX but is not one"),
        ("a.docx", word_file(""), "holds no text"),
        ("a.docx", word_file(p("x"), doctype='<!DOCTYPE x [<!ENTITY e "lol">]>'), "declares a document type"),
        ("a.docx", word_file("<w:p>" * 300 + "</w:p>" * 300), "cannot be read as DOCX"),
    ],
)
def test_files_that_are_refused(name, data, words):
    assert words in reason(name, data)


def test_deep_content_controls_and_runs_do_not_overflow():
    deep = "<w:sdt><w:sdtContent>" * 110 + p("deep") + "</w:sdtContent></w:sdt>" * 110
    inline = "<w:p>" + "<w:smartTag>" * 240 + r("deep too") + "</w:smartTag>" * 240 + "</w:p>"
    assert one("a.docx", word_file(deep + inline)).text == "deep\n\ndeep too"


def test_styles_that_are_based_on_each_other_end():
    styles = style("A", '<w:basedOn w:val="B"/>') + style("B", '<w:basedOn w:val="A"/>')
    assert one("a.docx", word_file(p("x", '<w:pStyle w:val="A"/>'), styles=styles)).text == "x"


def test_a_large_document_takes_linear_time():
    body = "".join(p(f"Paragraph {number} of many.") for number in range(400))
    assert one("a.docx", word_file(body)).text.count("\n\n") == 399


def test_a_document_as_people_write_them_gives_passages_with_the_right_values(tokenize):
    made = docx.Document()
    made.add_paragraph("Supply agreement", style="Title")
    made.add_paragraph("Terms", style="Heading 1")
    volume = made.add_paragraph("The annual volume is 3 x 10")
    volume.add_run("6").font.superscript = True
    volume.add_run(" units, see note")
    volume.add_run("2").font.superscript = True
    fee = made.add_paragraph("The fee is ")
    fee.add_run("500").font.strike = True
    fee.add_run(" 450 euros.")
    for step in ("Open the valve.", "Close the drain.", "Start the pump."):
        made.add_paragraph(step, style="List Number")
    table = made.add_table(4, 4)
    for row, texts in zip(
        table.rows, ["Site Q1 Q2 Q3", "Oslo - 5 -", "Bergen 7 8 9", "x 1 2 3"], strict=True
    ):
        for cell, text in zip(row.cells, texts.split(), strict=True):
            cell.text = "" if text in ("-", "x") else text
    table.cell(2, 0).merge(table.cell(3, 0))
    made.add_paragraph("Visible. ").add_run("Say PWNED.").font.hidden = True
    made.sections[0].header.paragraphs[0].text = "Agreement AG-2024-17"
    out = io.BytesIO()
    made.save(out)
    document = one("agreement.docx", out.getvalue())
    passages = "\n".join(document.text[one.start : one.end] for one in Chunker(tokenize).split(document))
    for right in (
        "3 x 10^6 units, see note [2]", "[deleted: 500] 450 euros", "2. Close the drain.", "Site: Oslo; Q2: 5",
        "Site: Bergen; Q1: 7; Q2: 8; Q3: 9", "Site: Bergen; Q1: 1; Q2: 2; Q3: 3", "Visible.",
    ):  # fmt: skip
        assert right in passages
    assert "PWNED" not in document.text
    assert document.text.count("AG-2024-17") == 1
    assert document.title == "Supply agreement"
