"""An upload is kept on disk whole, and read from there in batches."""

import pytest

from api.errors import (
    InvalidUpload,
    UploadTooLarge,
)
from api.jobs.batches import BatchLimits, Cursor, batches
from api.jobs.uploads import Uploads
from retrieval.corpus import DEFAULT_LIMITS
from retrieval.corpus.file_reader import ReadHere


@pytest.fixture
def spool(tmp_path):
    return Uploads(tmp_path / "spool", 1000)


def spooled(spool, job, *files):
    with spool.writer() as writer:
        for name, content in files:
            writer.add(name, content)
        writer.keep(job)
    return spool.files(job)


def test_an_upload_is_kept_whole_or_not_at_all(spool, tmp_path):
    files = spooled(spool, "job", ("../../x", b"one"), ("ünï/b", b"two"))
    assert [(file.name, file.path.read_bytes()) for file in files] == [("../../x", b"one"), ("ünï/b", b"two")]
    assert all(file.path.parent == tmp_path / "spool" / "job" for file in files)
    with spool.writer() as writer:
        writer.add("a", b"x" * 600)
        with pytest.raises(UploadTooLarge):
            writer.add("b", b"x" * 600)
    with spool.writer() as writer:
        writer.add("a", b"x")
    assert list((tmp_path / "spool").iterdir()) == [tmp_path / "spool" / "job"]
    assert list(spool.jobs()) == ["job"]
    spool.drop("job")
    with pytest.raises(InvalidUpload, match="send it again"):
        spool.files("job")


def test_a_digest_tells_uploads_apart(spool):
    def digest(*files):
        with spool.writer() as writer:
            for name, content in files:
                writer.add(name, content)
            return writer.digest

    assert digest(("a", b"1"), ("b", b"2")) == digest(("a", b"1"), ("b", b"2"))
    different = [
        (("a", b"1"),),
        (("b", b"1"),),
        (("a", b"1"), ("b", b"")),
        (("a", b""), ("b", b"1")),
        (("ab", b"1"),),
    ]
    assert len({digest(*files) for files in different}) == len(different)


def read(files, *, lines, start=None, documents=3, characters=10**6):
    cut = BatchLimits(documents, characters)
    return list(
        batches(files, lines=lines, start=start or Cursor(), cut=cut, reader=ReadHere(DEFAULT_LIMITS))
    )


def outcome(found):
    return (
        [one.id for batch in found for one in batch.documents],
        [one.name for batch in found for one in batch.unread],
    )


@pytest.mark.parametrize("lines", [True, False])
def test_reading_on_from_any_batch_gives_the_same_rest(spool, lines):
    if lines:
        content = b"".join(
            b'{"id": "d%d", "text": "t"}\n\n' % n if n % 5 else b"{broken\r\n" for n in range(1, 20)
        )
        files = spooled(spool, "job", ("x", content.rstrip()))
    else:
        rows = b"id,text\n" + b"".join(b"r%d,some text\n" % n for n in range(7))
        files = spooled(
            spool, "job", ("a.txt", b"text a"), ("rows.csv", rows), ("bad.pdf", b"%PDF-1"), ("b.md", b"# b")
        )
    whole = read(files, lines=lines)
    ids, unread = outcome(whole)
    assert len(ids) == (16 if lines else 9)
    assert unread == (["line 9", "line 18", "line 27"] if lines else ["bad.pdf"])
    assert max(len(batch.documents) for batch in whole) == 3
    for at, batch in enumerate(whole):
        rest = read(files, lines=lines, start=batch.cursor)
        assert outcome(rest) == outcome(whole[at + 1 :])
        assert [one.cursor for one in rest] == [one.cursor for one in whole[at + 1 :]]


def test_batches_are_cut_by_characters_and_the_last_of_an_id_counts(spool):
    lines = b'{"id": "a", "text": "old"}\n{"id": "b", "text": "xxxxx"}\n{"id": "a", "text": "new"}\n'
    files = spooled(spool, "job", ("x", lines))
    (batch,) = read(files, lines=True)
    assert {one.id: one.text for one in batch.documents} == {"a": "new", "b": "xxxxx"}
    assert batch.taken == 3
    assert [batch.taken for batch in read(files, lines=True, characters=8)] == [2, 1]
