"""The files of a segment, byte for byte as the first version of the format wrote them."""

import json

import pytest

from retrieval import Collection, Document, IndexSettings
from retrieval.collections.compacting import compact
from retrieval.segments.files import sha256
from tests.support import FIXTURES
from tests.support.fakes import HashEncoder, WordVocabulary

WORDS = ["otter", "river", "fish", "stone", "bank", "water", "night", "moss", "reed", "heron"]
GOLDEN = FIXTURES / "segment-files.json"


def documents(first, last):
    return [
        Document(
            f"d{at}",
            ". ".join(f"{word} {WORDS[(at * (place + 3)) % 10]} {at}" for place, word in enumerate(WORDS)),
            title=f"Title {at}" if at % 2 else "",
            metadata={"at": at, "odd": bool(at % 2)},
        )
        for at in range(first, last)
    ]


def made(path, **settings):
    collection = Collection.create(
        path,
        encoder=HashEncoder(),
        vocabulary=WordVocabulary(),
        settings=IndexSettings(passage_tokens=16, overlap_tokens=2, **settings),
    )
    collection.add(documents(0, 5))
    collection.add([*documents(5, 8), Document("empty", "")])
    collection.delete(["d1"])
    return collection


def files(collection):
    """The checksum of each file, by its segment's place in the manifest."""
    manifest = json.loads((collection.path / "manifest.json").read_text("utf-8"))
    places = [collection.path / "segments" / entry["name"] for entry in manifest["segments"]]
    return [
        {file.relative_to(one).as_posix(): sha256(file) for file in sorted(one.rglob("*")) if file.is_file()}
        for one in places
    ]


@pytest.mark.parametrize("ngrams", [True, False])
def test_segments_have_the_same_files_with_the_same_bytes(tmp_path, ngrams):
    golden = json.loads(GOLDEN.read_text("utf-8"))["with" if ngrams else "without"]
    collection = made(tmp_path / "c", ngrams=ngrams)
    assert files(collection) == golden["added"]
    assert compact(collection.path).merges
    assert files(collection) == golden["merged"]
