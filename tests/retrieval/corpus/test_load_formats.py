import io
import json
import subprocess
import sys
import zipfile
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from base.processes import plain_environment
from retrieval.corpus import Chunker, Format, LoadLimits, load_file
from retrieval.corpus.headings import find_headings
from retrieval.errors import UnreadableDocument
from retrieval.types import Document
from tests.support.speeds import examples


def one(name, data, *args, **options):
    (found,) = load_file(name, data if isinstance(data, bytes) else data.encode(), *args, **options)
    assert isinstance(found, Document), found
    return found


def refused(name, data, *args, **options):
    (found,) = load_file(name, data if isinstance(data, bytes) else data.encode(), *args, **options)
    assert isinstance(found, UnreadableDocument), found
    assert found.name == name
    return found.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-32"])
def test_text_in_unicode_encodings(encoding):
    text = "Grüße, 世界 😀\nend"
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-mark" else text.encode(encoding)
    assert one("a.txt", data) == Document("a.txt", text, "", {"source": "a.txt"})


def test_line_ends_are_one_kind():
    assert one("a.txt", "a\r\nb\rc\n\nd").text == "a\nb\nc\n\nd"


def test_zero_bytes_and_binary_are_not_text():
    assert "zero bytes" in refused("a.txt", b"abc\0def")
    assert "control characters" in refused("a.bin", bytes(range(1, 32)) * 10 + b"\xff")
    assert "truncated" in refused("a.txt", b"\xff\xfea")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a"])
@pytest.mark.parametrize("data", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_blank_files_are_reported(name, data):
    assert refused(name, data) == "holds no text"


def test_too_many_characters_are_reported_not_cut():
    assert "at most 10" in refused("a.txt", "x" * 11, LoadLimits(max_characters=10))
    assert one("a.txt", "x" * 10, LoadLimits(max_characters=10)).text == "x" * 10


def test_markdown_keeps_emphasis_and_links_and_takes_title_and_front_matter():
    source = "---\ntitle: 'My guide'\nyear: 2024\ndraft: false\ntags: [a, 3]\n---\n# Guide\n\nSome **bold** [link](u).\n"
    document = one("docs/a.md", source)
    assert document.text == "# Guide\n\nSome **bold** [link](u)."
    assert document.title == "My guide"
    assert document.metadata == {"source": "docs/a.md", "year": 2024, "draft": False, "tags": ["a", 3]}


def test_markdown_takes_the_first_heading_for_title():
    document = one("a.md", "---\na:\n  - nested\n---\n\nThe *Title*\n=========\n\ntext\n")
    assert document.title == "The Title"
    assert document.text == "# The *Title*\n\ntext"
    assert document.metadata == {"source": "a.md", "a": ["nested"]}


LINES = st.sampled_from(
    ["", "", "word", "two words", "===", "---", "----  ", "# A", "## B #", "```", "***", "    code", "#no"]
)


@given(st.lists(LINES, max_size=12).filter(lambda lines: lines.count("```") % 2 == 0))
@settings(max_examples=examples(400))
def test_markdown_headings_are_those_of_a_commonmark_parser(lines):
    source = "\n".join(["first", *lines])
    tokens = MarkdownIt("commonmark").parse(source)
    expected = [
        (int(opening.tag[1]), " ".join(inline.content.split()))
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    ]
    text = one("a.md", source).text
    assert [(heading.level, heading.title) for heading in find_headings(text)] == expected


@pytest.mark.parametrize(
    "source", ["- item\n---\n", "> quote\n===\n", "|a|\n|-|\n---\n", "1. x\ny\n===\n", "<b>\n---\n"]
)
def test_markdown_lists_quotes_and_tables_are_no_headings(source):
    assert not find_headings(one("a.md", "x\n\n" + source).text)


def test_html_keeps_what_is_seen():
    page = """<!doctype html><html><head><title>My &amp; page</title><meta charset="utf-8"><style>p{}</style>
    <script>document.write("<p>no</p>")</script></head><body style="visibility:hidden">
    <nav><p>Home</nav><h1>Guide <em>one</em></h1><p>Hello <b>bold</b>
    world.<br>Next&nbsp;line.<div>in<div>nested</div>tail</div><p hidden>no</p><p style="display: none">no</p>
    <ul><li>a<li><p>b</p><ul><li>c</li><li></li></ul></ul>
    <table><tr><th>k</th><th><p>v</p></th></tr><tr><td></td><td>1</td></tr><tr><td>x<td>2</table>
    <h3>Code<br>here</h3><pre>def f():
    # not a heading
  return 1</pre>end<!-- no --> é<img alt="no"><input type="hidden" value="no"><template>no</template></body></html>"""
    document = one("a.html", page)
    assert document.title == "My & page"
    assert document.text == (
        "# Guide one\n\nHello bold world.\nNext line.\n\nin\n\nnested\n\ntail\n\n- a\n- b\n  - c\n\n"
        "v: 1\nk: x; v: 2\n\n### Code here\n\n```\ndef f():\n    # not a heading\n  return 1\n```\n\nend é"
    )
    assert [heading.title for heading in find_headings(document.text)] == ["Guide one", "Code here"]


def test_html_without_a_title_takes_its_first_heading():
    assert one("a.htm", "<h2>No</h2><h1>Yes</h1>x").title == "Yes"


@pytest.mark.parametrize(
    "page",
    [
        "<meta charset=iso-8859-1><p>“ü”".encode("cp1252"),
        '<meta http-equiv="content-type" content="text/html; charset=windows-1251"><p>да'.encode("cp1251"),
        "<meta charset=utf-16><p>日本".encode(),
        "<meta charset=nonsense><p>日本".encode(),
        "<meta charset=zip><p>日本".encode(),
        "<p>日本".encode("utf-16"),
        "<meta charset=shift_jis><p>日本".encode("shift_jis"),
    ],
)
def test_html_in_its_declared_encoding(page):
    assert one("a.html", page).text in ("“ü”", "да", "日本")


def test_html_of_any_depth_and_entities_of_its_own_are_harmless():
    assert one("a.html", "<div>" * 20_000 + "deep" + "</div>" * 20_000 + "<p>after").text == "deep\n\nafter"
    bomb = "<!DOCTYPE html [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;'>]><p>&b;&b;</p>"
    assert "xxx" not in one("a.html", bomb).text


def test_html_fences_hold_code_with_fences():
    text = one("a.html", "<pre>```\n# a\n```</pre><h1>H</h1><table><tr><td>1<td><pre># b</pre></table>").text
    assert [heading.title for heading in find_headings(text)] == ["H"]


def test_pdf_text_pages_and_heading_path(make, tokenize):
    document, remark = load_file("a.pdf", make.pdf("First line\nsecond line", "", "Third page"))
    assert (remark.text, remark.whole) == ("page 2 has no text; recognise it (OCR)", False)
    assert document.text == "First line\nsecond line\n\nThird page"
    assert document.metadata == {"source": "a.pdf", "pages": 3}
    assert Chunker(tokenize).split(document)[0].text == document.text


def test_pdf_that_cannot_be_read_says_why(make):
    assert "OCR" in refused("a.pdf", make.pdf(""))
    assert "password" in refused("a.pdf", make.locked_pdf("secret"))
    assert one("a.pdf", make.locked_pdf("")).text == "secret"
    assert "at most 2" in refused("a.pdf", make.pdf("a", "b", "c"), LoadLimits(max_pages=2))
    assert "more than 5 characters" in refused("a.pdf", make.pdf("abcdef"), LoadLimits(max_characters=5))
    assert "PDF" in refused("a.pdf", b"%PDF-1.7 and then nothing")
    assert "not one" in refused("a.pdf", b"plain text")
    assert "damaged" in refused("a.pdf", make.pdf("abc")[:200])


def test_pdf_of_slow_pages_is_stopped(make):
    content = b"BT /F 12 Tf " + b"0 1 Td (x) Tj " * 20_000 + b"ET"
    assert "more than 0 s" in refused("a.pdf", make.pdf(content=content), LoadLimits(max_pdf_seconds=0.001))


def test_word_headings_lists_and_tables(make, tokenize):
    data = make.word(
        [
            ("Title", "Handbook"),
            ("Heading 1", "Travel"),
            ("Normal", "Ask  first."),
            ("List Bullet", "one"),
            ("List Bullet", "two"),
            ("Normal", "After."),
            ("Heading 2", ""),
        ],
        [["k", "v"], ["a\nb", "1"], ["", "2"]],
        title="The handbook",
    )
    document = one("a.docx", data)
    assert document.title == "The handbook"
    assert (
        document.text
        == "# Handbook\n\n# Travel\n\nAsk first.\n\n- one\n- two\n\nAfter.\n\nk | v\na b | 1\n | 2"
    )
    assert Chunker(tokenize).split(document)[-1].heading == "Travel"


def test_word_skips_what_was_deleted_and_reads_what_was_inserted(make):
    body = (
        "<w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>new</w:t><w:tab/><w:t>x</w:t><w:br/><w:t>y</w:t></w:r></w:ins></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    assert one("a.docx", rewritten(make, body)).text == "kept new x\ny\n\ncontrol"


def test_word_entities_are_not_expanded(make):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(9))
    data = rewritten(make, "<w:p><w:r><w:t>&e8;text</w:t></w:r></w:p>", doctype=f"<!DOCTYPE x [{entities}]>")
    (found,) = load_file("a.docx", data)
    assert isinstance(found, UnreadableDocument) or len(found.text) < 100


def rewritten(make, body, doctype=""):
    """A DOCX with another body."""
    source = zipfile.ZipFile(io.BytesIO(make.word([("Normal", "x")])))
    files = {info.filename: source.read(info) for info in source.infolist()}
    namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    files["word/document.xml"] = (
        f"{doctype}<w:document {namespace}><w:body>{body}</w:body></w:document>".encode()
    )
    return make.archive(files)


def test_word_that_is_something_else(make):
    assert "not one" in refused("a.docx", b"text")
    assert "holds no such document" in refused("a.docx", make.archive({"a.txt": b"x"}))
    drawing = make.archive({"[Content_Types].xml": b"x", "visio/document.xml": b""})
    assert "of a kind that is not read" in refused("a.vsdx", drawing)
    assert "broken archive" in refused("a.docx", make.word([("Normal", "x" * 5000)])[:-200])
    broken = make.archive({"word/document.xml": b"<a", "[Content_Types].xml": b"<b"})
    assert "cannot be read as" in refused("a.docx", broken)


def test_ids_of_two_tables_differ():
    (one,) = load_file("fees.csv", b"id,text\n1,fee\n")
    (other,) = load_file("staff.csv", b"id,text\n1,person\n")
    assert (one.id, other.id) == ("fees.csv#1", "staff.csv#1")
    (long,) = load_file("t.jsonl", b'{"id": "%s", "text": "x"}' % (b"x" * 510))
    assert isinstance(long, UnreadableDocument)
    assert "shorten" in long.reason


def test_csv_with_a_cell_of_a_megabyte():
    assert len(one("t.csv", "text\n" + "x" * 1_000_000).text) == 1_000_000


def test_jsonl_fields():
    line = {
        "_id": 7,
        "title": "T",
        "text": "a\r\nb",
        "year": 2020,
        "tags": ["x", 1],
        "deep": {"no": 1},
        "metadata": {"team": None},
    }
    document = one("d.jsonl", json.dumps(line))
    assert document == Document(
        "d.jsonl#7", "a\nb", "T", {"source": "d.jsonl", "year": 2020, "tags": ["x", 1], "team": None}
    )
    assert one("d.ndjson", '{"text":"", "title":"T"}').text == "T"
    assert one("d.jsonl", '\ufeff{"text":"é"}'.encode("utf-16-be")).text == "é"
    assert one("d.jsonl", b'{"text":"\\ud800x\\u0000y"}').text == "\ufffdxy"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "valid line of JSON"),
        ("[1]", "not a JSON object"),
        ('{"a":{}}', "no field 'text'"),
        ('{"text":3}', "'text' that is not a string"),
        ('{"text":null}', "holds no text"),
        ('{"text":"x","title":[]}', "'title' that is not a string"),
        ('{"text":"x","id":{}}', "an id that is neither"),
        ('{"text":"x","metadata":3}', "metadata that is not an object"),
        ('{"text":"x","metadata":{"a":{}}}', "'a' is dict"),
        ('{"text":"x","a":NaN}', "NaN is not JSON"),
        ('{"text":"x","a":1e999}', "not a finite number"),
        ('{"text":"x","a":99999999999999999999}', "64 bits"),
        ("[" * 100_000, "nested too deeply"),
        ("\udcff", "valid line of JSON"),
    ],
)
def test_jsonl_reports_the_line_and_goes_on(line, reason):
    data = b'{"text":"before"}\n\n' + line.encode("utf-8", "surrogateescape") + b'\n{"text":"after"}'
    before, error, after = load_file("d.jsonl", data)
    assert (before.id, error.name, after.id) == ("d.jsonl#1", "d.jsonl#3", "d.jsonl#4")
    assert reason in error.reason


@pytest.mark.process
@pytest.mark.parametrize("found", sorted(set(Format) - {Format.ZIP, Format.MAIL, Format.MAILBOX}))
def test_the_loader_of_each_format_can_be_the_first_that_is_imported(found):
    code = f"from retrieval.corpus.load import loader_of; loader_of({found.value!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=plain_environment())
