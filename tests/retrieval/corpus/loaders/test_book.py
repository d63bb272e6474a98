import io
import zipfile

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document
from tests.support.packages.epub import contents, epub, page


def read(data, name="a.epub"):
    found = list(load_file(name, data))
    documents = [one for one in found if isinstance(one, Document)]
    assert len(documents) == 1, found
    return documents[0], [one for one in found if isinstance(one, Remark)]


def text(chapters, **options):
    return read(epub(chapters, **options))[0].text


def refused(data, name="a.epub"):
    (error,) = load_file(name, data)
    assert isinstance(error, UnreadableDocument)
    return error.reason


def test_chapters_come_in_the_order_of_the_spine_and_not_of_the_package():
    chapters = {"b.xhtml": "<h1>Two</h1><p>second</p>", "a.xhtml": "<h1>One</h1><p>first</p>"}
    document, remarks = read(epub(chapters, order=("a.xhtml", "b.xhtml")))
    assert document.text == "# One\n\nfirst\n\n# Two\n\nsecond"
    assert (document.title, document.metadata) == ("Pumps", {"source": "a.epub"})
    assert not remarks


def test_authors_and_language_are_metadata():
    one = "<dc:title>T</dc:title><dc:creator>Ann Lee</dc:creator><dc:language>en</dc:language>"
    document, _ = read(epub({"a.xhtml": "<p>x</p>"}, metadata=one))
    assert document.metadata == {"source": "a.epub", "author": "Ann Lee", "language": "en"}
    two = "<dc:creator>Ann Lee</dc:creator><dc:creator>Bo Ek</dc:creator>"
    document, _ = read(epub({"a.xhtml": "<p>x</p>"}, metadata=two))
    assert document.metadata["author"] == ["Ann Lee", "Bo Ek"]
    assert document.title == ""


def test_a_chapter_without_a_heading_has_that_of_the_table_of_contents():
    nav = contents(("a.xhtml", "Opening"), ("b.xhtml#start", "Valves"), ("c.xhtml", "Unused"))
    chapters = {"a.xhtml": "<p>first</p>", "b.xhtml": "<p>second</p>", "c.xhtml": "<h2>Own</h2><p>third</p>"}
    assert text(chapters, nav=nav) == "# Opening\n\nfirst\n\n# Valves\n\nsecond\n\n## Own\n\nthird"
    several = contents(("a.xhtml#x", "One"), ("a.xhtml#y", "Two"))
    assert text({"a.xhtml": "<p>first</p>"}, nav=several) == "first"


def test_tables_of_contents_of_older_books_are_read_as_well():
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Part</text></navLabel>'
        '<content src="p.xhtml"/><navPoint><navLabel><text>Chapter</text></navLabel><content src="a%20b.xhtml"/>'
        "</navPoint></navPoint></navMap></ncx>"
    )
    item = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    chapters = {"p.xhtml": "<p>intro</p>", "a b.xhtml": "<p>words</p>"}
    made = text(chapters, items=item, parts={"OEBPS/toc.ncx": ncx})
    assert made == "# Part\n\nintro\n\n## Chapter\n\nwords"


def test_cover_and_lists_of_links_are_left_out():
    guide = '<reference type="cover" href="cover.xhtml"/><reference type="toc" href="toc.xhtml#x"/>'
    chapters = {
        "cover.xhtml": "<p>Cover</p>",
        "toc.xhtml": "<p>Contents</p>",
        "a.xhtml": '<nav epub:type="page-list"><p>12</p></nav><section epub:type="toc">One</section><p>words</p>',
    }
    assert text(chapters, guide=guide, nav=contents()) == "words"
    assert text({"cover.xhtml": "<p>All there is</p>"}, guide=guide) == "All there is"


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("<p>up to 10<sup>9</sup></p>", "up to 10^9"),
        ('<p>in 1999<a epub:type="noteref" href="#n">2</a>.</p>', "in 1999 [2]."),
        ("<p>fee <del>40</del> 50</p>", "fee [deleted: 40] 50"),
        ('<p>see<a id="x"/> <b/>this</p><p>and that</p>', "see this\n\nand that"),
        ('<p>word<span epub:type="pagebreak" title="12">12</span>s</p>', "words"),
        ('<p>word<span role="doc-pagebreak">12</span>s</p>', "words"),
        ("<p>caf&eacute;&nbsp;&amp; bar</p>", "café & bar"),
        ('<ol start="3"><li>Turn</li></ol>', "3. Turn"),
        ("<table><tr><th>City</th><th>Spring</th><th>Summer</th></tr><tr><td>Oslo</td><td/><td>5</td></tr></table>",
         "City: Oslo; Summer: 5"),
        ('<m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:msup><m:mi>x</m:mi><m:mn>2</m:mn></m:msup></m:math>',
         "x^2"),
        ("<p>not closed <br> here", "not closed\nhere"),
        ('<script src="x.js"/><p>after a script</p>', "after a script"),
    ],
)  # fmt: skip
def test_chapters_are_read_as_pages_are(body, right):
    assert text({"a.xhtml": body}) == right


def test_old_encodings_of_chapters_are_decoded():
    data = epub({"a.xhtml": page("<p>caf\u00e9</p>").replace("1.0", '1.0" encoding="iso-8859-1')})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).decode().encode("latin-1"))
    assert read(out.getvalue())[0].text == "café"


def encryption(method, member="OEBPS/a.xhtml"):
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
        'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:EncryptionMethod Algorithm="{method}"/><enc:CipherData><enc:CipherReference URI="{member}"/>'
        "</enc:CipherData></enc:EncryptedData></encryption>"
    )


def test_protected_books_are_named_and_disguised_fonts_are_no_protection():
    chapters = {"a.xhtml": "<p>x</p>"}
    locked = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    assert "(DRM)" in refused(epub(chapters, parts={"META-INF/encryption.xml": locked}))
    font = encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")
    assert text(chapters, parts={"META-INF/encryption.xml": font}) == "x"
    other = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/film.mp4")
    assert text(chapters, parts={"META-INF/encryption.xml": other}) == "x"


def test_lost_chapters_are_named_and_broken_books_refused():
    document, remarks = read(epub({"a.xhtml": "<p>x</p>", "b.xhtml": "<html>\0\0\0\1"}))
    assert document.text == "x"
    assert remarks == [
        Remark("a.epub", "chapters that cannot be read were left out: OEBPS/b.xhtml", whole=False)
    ]
    assert "none of its chapters" in refused(epub({"b.xhtml": "<html>\0\0\0\1"}))
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("mimetype", "application/epub+zip")
    assert "list of its chapters is missing" in refused(empty.getvalue())
    assert "list of its chapters is empty" in refused(epub({}))
    assert "is named EPUB but is not one" in refused(b"text")


def test_entities_of_a_chapter_neither_grow_nor_read_files():
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE html [<!ENTITY e0 "lol">{levels}<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    made = page("<p>kept &e9; here</p>").replace("<html", bomb + "<html")
    assert len(text({"a.xhtml": made})) < 5000
    outside = page("<p>kept &f; here</p>").replace("<html", bomb + "<html")
    assert text({"a.xhtml": outside}) == "kept here"
