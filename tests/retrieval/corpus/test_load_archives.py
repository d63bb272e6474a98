import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.corpus import Format, InvalidLimits, LoadLimits, Remark, load_file
from retrieval.corpus.formats import detect
from retrieval.corpus.names import safe_name
from retrieval.errors import UnreadableDocument
from retrieval.types import Document
from tests.support.speeds import examples


def load(data, limits=None, name="a.zip"):
    found = list(load_file(name, data, *([limits] if limits else [])))
    documents = {d.id: d.text for d in found if isinstance(d, Document)}
    errors = {e.name: e.reason for e in found if isinstance(e, UnreadableDocument)}
    assert len(documents) + len(errors) == len(found)
    return documents, errors


def test_an_archive_of_everything(make):
    inner = make.archive({"deep.txt": b"deep"})
    files = {
        "a.txt": b"text",
        "sub/b.md": b"# M",
        "sub/c.html": b"<p>H",
        "d.pdf": make.pdf("P"),
        "e.docx": make.word([("Normal", "W")]),
        "f.csv": b"text\nC\n",
        "g.jsonl": b'{"text":"J","id":"own"}',
        "h.zip": inner,
        "broken.pdf": b"%PDF-",
        "x.png": b"\x89PNG....",
        "__MACOSX/._a.txt": b"junk",
        ".DS_Store": b"junk",
        "empty/": b"",
    }
    documents, errors = load(make.archive(files))
    assert documents == {
        "a.zip/a.txt": "text",
        "a.zip/sub/b.md": "# M",
        "a.zip/sub/c.html": "H",
        "a.zip/d.pdf": "P",
        "a.zip/e.docx": "W",
        "a.zip/f.csv#1": "C",
        "a.zip/g.jsonl#own": "J",
        "a.zip/h.zip/deep.txt": "deep",
    }
    assert set(errors) == {"a.zip/broken.pdf", "a.zip/x.png"}


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "a/../../up.txt", "/etc/passwd", "C:\\x.txt", "..\\up.txt", "\\\\host\\x", "a\nb.txt"],
)
def test_unsafe_names_are_reported_in_archives_and_outside(make, name):
    documents, errors = load(make.archive([(name, b"x"), ("ok.txt", b"ok")]))
    assert documents == {"a.zip/ok.txt": "ok"}
    assert len(errors) == 1
    (error,) = load_file(name, b"text")
    assert isinstance(error, UnreadableDocument)


def test_links_encrypted_members_and_odd_methods_are_reported(make):
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    odd = zipfile.ZipInfo("odd.txt")
    odd.compress_type = zipfile.ZIP_LZMA
    data = bytearray(make.archive([(link, b"/etc/passwd"), ("ok.txt", b"ok"), ("locked.txt", b"x")]))
    local, central = data.find(b"locked.txt") - 30, data.rfind(b"locked.txt") - 46
    data[local + 6] |= 1
    data[central + 8] |= 1
    documents, errors = load(bytes(data))
    assert documents == {"a.zip/ok.txt": "ok"}
    assert "link" in errors["a.zip/link.txt"]
    assert "encrypted" in errors["a.zip/locked.txt"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(odd, b"x")
    assert "uncommon method" in load(out.getvalue())[1]["a.zip/odd.txt"]


def test_bombs(make):
    zeros = make.archive({"bomb.txt": b"0" * 5_000_000, "ok.txt": b"ok"})
    documents, errors = load(zeros)
    assert documents == {"a.zip/ok.txt": "ok"}
    assert "zip bomb" in errors["a.zip/bomb.txt"]

    documents, errors = load(
        make.archive({f"{n}.txt": b"x" * 100 for n in range(5)}),
        LoadLimits(max_total_bytes=1000, max_file_bytes=100),
    )
    assert len(documents) == 5
    five = make.archive({f"{n}.txt": bytes([97 + n]) * 400 for n in range(5)})
    documents, errors = load(five, LoadLimits(max_total_bytes=1000))
    assert list(documents) == ["a.zip/0.txt", "a.zip/1.txt"]
    assert "the rest of it was left out" in errors["a.zip"]

    assert "at most 4 are read" in load(five, LoadLimits(max_entries=4))[1]["a.zip"]
    assert "larger than" in load(five, LoadLimits(max_file_bytes=300))[1]["a.zip/0.txt"]


def test_archives_in_archives(make):
    data = make.archive({"x.txt": b"x"})
    for _ in range(3):
        data = make.archive({"in.zip": data, "y.txt": b"y"})
    documents, errors = load(data)
    assert list(documents) == ["a.zip/in.zip/y.txt", "a.zip/y.txt"]
    assert "3 deep" in errors["a.zip/in.zip/in.zip"]
    both = make.archive(
        [("in.zip", make.archive({str(n): b"x" * 400 for n in range(3)})), ("z.txt", b"z" * 400)]
    )
    documents, errors = load(both, LoadLimits(max_total_bytes=1200))
    assert len(documents) < 4
    assert any("left out" in reason for reason in errors.values())


def test_a_directory_that_lies_about_its_length_is_counted_before_it_is_read(make):
    data = make.archive({f"{n}.txt": b"" for n in range(50)})
    end = data.rfind(b"PK\x05\x06")
    lying = data[: end + 8] + struct.pack("<HH", 1, 1) + data[end + 12 :]
    assert "has 50 entries" in load(lying, LoadLimits(max_entries=49))[1]["a.zip"]


def test_broken_archives(make):
    good = make.archive({"a.txt": b"hello " * 100, "b.txt": b"b"})
    assert "broken" in load(good[:-30])[1]["a.zip"]
    assert "broken" in load(good[:40])[1]["a.zip"]
    assert load(make.archive({}))[1] == {"a.zip": "is an empty archive"}
    flipped = bytearray(good)
    flipped[40] ^= 0xFF
    documents, errors = load(bytes(flipped))
    assert documents == {"a.zip/b.txt": "b"}
    assert "cannot be unpacked" in errors["a.zip/a.txt"]
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = make.archive([("a.txt", b"1"), ("a.txt", b"2")])
    documents, errors = load(twice)
    assert documents == {"a.zip/a.txt": "1"}
    assert "twice" in errors["a.zip/a.txt"]


@given(st.data())
@settings(max_examples=examples(150))
def test_damage_is_always_reported_never_raised(make, data):
    kind = data.draw(st.sampled_from(["zip", "docx", "pdf", "html", "csv", "jsonl", "md", "txt"]))
    whole = bytearray(SAMPLES[kind](make))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for found in load_file(f"a.{kind}", broken, LoadLimits(max_pdf_seconds=5)):
        assert isinstance(found, (Document, UnreadableDocument, Remark))


SAMPLES = {
    "zip": lambda make: make.archive({"a.txt": b"hello " * 50, "b.md": b"# b"}),
    "docx": lambda make: make.word([("Heading 1", "H"), ("Normal", "x")]),
    "pdf": lambda make: make.pdf("one\ntwo", "three"),
    "html": lambda make: b"<html><h1>a</h1><table><tr><td>x<td>y</table><pre>z</pre>" * 3,
    "csv": lambda make: b'id,text\n1,"a"\n2,b\n',
    "jsonl": lambda make: b'{"text":"a","id":1}\n' * 3,
    "md": lambda make: b"---\ntitle: x\n---\n# a\n\nb\n===\n```\nc\n```\n",
    "txt": lambda make: "Grüße. Zwei.".encode(),
}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.MD", b"x", Format.MARKDOWN),
        ("noext", b"  <!-- c --><!DOCTYPE HTML>", Format.HTML),
        ("noext", b'{"text": "x"}\n{', Format.JSONL),
        ("noext", b"{ not json", Format.TEXT),
        ("a.unknown", b"plain", Format.TEXT),
        ("a.txt", b"<html>", Format.TEXT),
        ("a.bin", b"%PDF-1.7", Format.PDF),
        ("a.txt", b"see %PDF-1.7", Format.TEXT),
        ("a.txt", b"PK\x03\x04", Format.ZIP),
        ("noext", b"<!--" + b"--><!--" * 1000, Format.TEXT),
    ],
)
def test_formats_by_content_then_extension(name, data, expected):
    assert detect(name, data) is expected


@pytest.mark.parametrize(
    "data", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b\x08", b"Rar!\x1a", b"7z\xbc\xaf\x27\x1c"]
)
def test_other_formats_are_named(data):
    with pytest.raises(UnreadableDocument, match="are read"):
        detect("a.txt", data)


def test_names():
    assert safe_name("a/./b\\c.txt") == "a/b/c.txt"
    for bad in ("", ".", "x" * 501, "a\0b"):
        with pytest.raises(UnreadableDocument):
            safe_name(bad)


@pytest.mark.parametrize("limit", ["max_file_bytes", "max_ratio", "max_pdf_seconds"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "9"])
def test_limits_are_numbers_above_zero(limit, value):
    with pytest.raises(InvalidLimits, match=limit):
        LoadLimits(**{limit: value})
