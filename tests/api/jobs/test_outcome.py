"""A job ends as succeeded, partial or failed, by what its batches have recorded about its files."""

import msgspec
import pytest

from api.db import BatchRow
from api.jobs.batches import BatchLimits, Cursor, batches
from api.jobs.outcome import TWICE, outcome_of
from api.jobs.uploads import Uploads
from retrieval.corpus import DEFAULT_LIMITS, Remark
from retrieval.corpus.file_reader import ReadHere
from retrieval.errors import UnreadableDocument
from retrieval.types import Document


def batch(*sources, documents=0, removed=0, errors=()):
    """A batch that has completed sources: name, state, number of documents, remarks."""
    encode = msgspec.json.encode
    return BatchRow(
        documents=documents,
        removed=removed,
        sources=encode([(*one, []) if len(one) == 3 else one for one in sources]).decode(),
        errors=encode(errors).decode(),
    )


def state(*rows, lines=False):
    return outcome_of(rows, lines=lines).state


BROKEN = [("b.pdf", "is damaged.")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (batch(("a.txt", "read", 1), documents=1), "succeeded"),
        (batch(("a.txt", "unchanged", 1)), "succeeded"),
        (batch(("a.txt", "read", 1, [("a.txt", "read as GB18030, a guess")]), documents=1), "succeeded"),
        (batch(("a.csv", "read", 0, [("a.csv", "has nothing to index")]), removed=2), "succeeded"),
        (batch(("a.txt", "read", 1), ("e.py", "read", 0, [("e.py", "is empty")]), documents=1), "succeeded"),
        (batch(("a.txt", "read", 1), ("b.pdf", "failed", 0, BROKEN), documents=1), "partial"),
        (batch(("a.txt", "unchanged", 1), ("b.pdf", "failed", 0, BROKEN)), "partial"),
        (batch(("p.pdf", "partial", 1, [("p.pdf", "page 2 has no text")]), documents=1), "partial"),
        (batch(("p.pdf", "unchanged", 1, [("p.pdf", "page 2 has no text")])), "partial"),
        (batch(("a.txt", "read", 1), documents=1, errors=[("a.txt", "is the name of several")]), "partial"),
        (batch(("b.pdf", "failed", 0, BROKEN)), "failed"),
        (batch(("a.csv", "read", 0, [("a.csv", "has nothing to index")])), "failed"),
        (batch(("a.csv", "unchanged", 0)), "failed"),
        (batch(), "failed"),
    ],
)
def test_the_state_of_files(row, expected):
    assert state(row) == expected


def test_of_lines_a_broken_one_counts_and_a_replaced_one_does_not():
    assert state(batch(documents=2, errors=[("d1", TWICE)]), lines=True) == "succeeded"
    assert state(batch(documents=2, errors=[("line 3", "is not JSON")]), lines=True) == "partial"
    assert state(batch(errors=[("line 3", "is not JSON")]), lines=True) == "failed"


def test_a_failed_job_says_why_in_one_sentence_and_names_the_first_files():
    names = [f"{number}.pdf" for number in range(5)]
    rows = [
        batch(
            *((name, "failed", 0, [(name, "is damaged.")]) for name in names),
            errors=[(name, "is damaged.") for name in names],
        )
    ]
    error = outcome_of(rows, lines=False).error
    assert error == "nothing was indexed: 0.pdf is damaged; 1.pdf is damaged; 2.pdf is damaged; and 2 more"
    assert outcome_of([], lines=False).error == "nothing was indexed: the upload has no documents"


def test_batches_of_earlier_releases_have_no_remarks():
    old = BatchRow(documents=1, removed=0, sources='[["a.txt", "read", 1]]', errors="[]")
    assert state(old) == "succeeded"


class Reads:
    """A reader that finds in each file what it is given."""

    def __init__(self, *found):
        self._found = found

    def __call__(self, name, path):
        yield from self._found


def read(tmp_path, reader, *files, documents=3):
    spool = Uploads(tmp_path / "spool", 10**6)
    with spool.writer() as writer:
        for name, content in files:
            writer.add(name, content)
        writer.keep("job")
    cut = BatchLimits(documents, 10**6)
    return list(batches(spool.files("job"), lines=False, start=Cursor(), cut=cut, reader=reader))


def ended(found):
    return {one.name: one for row in found for one in row.ended}


GUESS = Remark("a.txt", "read as GB18030, a guess")
PAGES = Remark("a.txt", "page 2 has no text", whole=False)
WORDS = Document("a.txt", "Tides.")


@pytest.mark.parametrize(
    ("found", "state", "report"),
    [
        ([WORDS], "read", []),
        ([WORDS, GUESS], "read", [("a.txt", GUESS.text)]),
        ([WORDS, GUESS, PAGES], "partial", [("a.txt", PAGES.text), ("a.txt", GUESS.text)]),
        ([WORDS, UnreadableDocument("a.txt#2", "is broken")], "partial", [("a.txt#2", "is broken")]),
        ([UnreadableDocument("a.txt", "is broken")], "failed", [("a.txt", "is broken")]),
        ([], "read", [("a.txt", "has nothing to index")]),
    ],
)
def test_each_file_has_what_there_is_to_say_about_it(tmp_path, found, state, report):
    one = ended(read(tmp_path, Reads(*found), ("a.txt", b"x")))["a.txt"]
    assert (one.state, list(one.report)) == (state, report)


def test_an_empty_file_is_no_loss_unless_its_kind_cannot_be_empty(tmp_path):
    found = read(
        tmp_path, ReadHere(DEFAULT_LIMITS), ("__init__.py", b" \n"), ("a.pdf", b""), ("b.md", b"# B")
    )
    states = {name: one.state for name, one in ended(found).items()}
    assert states == {"__init__.py": "read", "a.pdf": "failed", "b.md": "read"}
    assert [one.name for row in found for one in row.unread] == ["a.pdf"]


@pytest.mark.parametrize("documents", [2, 100])
def test_lines_of_one_id_are_named_however_batches_are_cut(tmp_path, documents):
    lines = (
        msgspec.json.encode({"id": number, "text": f"line {at}"}) for at, number in enumerate([1, 2, 3, 1])
    )
    found = read(tmp_path, ReadHere(DEFAULT_LIMITS), ("t.jsonl", b"\n".join(lines)), documents=documents)
    assert [(one.name, one.reason) for row in found for one in row.unread] == [("t.jsonl#1", TWICE)]
    assert [one.text for row in found for one in row.documents if one.id == "t.jsonl#1"][-1] == "line 3"
    one = ended(found)["t.jsonl"]
    assert (one.state, one.documents, list(one.report)) == ("partial", 3, [("t.jsonl#1", TWICE)])


def test_many_unread_parts_are_counted(tmp_path):
    lines = b'{"text": "one"}\n' + b"broken\n" * 50
    one = ended(read(tmp_path, ReadHere(DEFAULT_LIMITS), ("t.jsonl", lines)))["t.jsonl"]
    assert len(one.report) == 21
    assert one.report[-1] == ("t.jsonl", "has 30 more parts that were not read")
