"""How names of a folder's files begin, and which sources of a collection are the folder's."""

import pytest
from excerpta._folders import placed
from excerpta.types import SourceReply


def source(name, folder=None):
    return SourceReply(
        name=name,
        folder=folder,
        state="read",
        documents=1,
        bytes=1,
        hash="",
        errors=[],
        job="",
        version=1,
        updated_at="",
    )


@pytest.mark.parametrize(
    ("listed", "prefix", "own", "others"),
    [
        ([], "", [], []),
        ([source("a.md", "notes"), source("gone.md", "notes")], "", ["a.md", "gone.md"], []),
        ([source("a.md", "notes"), source("b.md", "else")], "", ["a.md"], []),
        ([source("a.md"), source("other.md")], "", [], ["a.md"]),
        ([source("notes/a.md")], "notes", ["notes/a.md"], []),
        ([source("notes/a.md"), source("a.md", "notes")], "notes", ["notes/a.md"], []),
        ([source("notes/x.md", "notes")], "", ["notes/x.md"], []),
        ([source("notes/a.md", "parent")], "notes", ["notes/a.md"], []),
        ([source("a.md", "else")], "notes", [], []),
        ([source("x.md", "else")], "", [], []),
        ([source("notesbook/a.md")], "", [], []),
    ],
)
def test_the_place_of_a_folder(listed, prefix, own, others):
    found = placed(listed, "notes", ["a.md", "b.md"])
    assert found.prefix == prefix
    assert [one.name for one in found.own] == own
    assert sorted(found.others) == others
