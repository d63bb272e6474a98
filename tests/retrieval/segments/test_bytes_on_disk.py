"""The files of a segment, byte for byte as the first version of the format wrote them."""

import itertools
import json

import faiss
import numpy as np
import pytest

from retrieval import Collection, Document, IndexSettings
from retrieval.collections.compacting import compact
from retrieval.segments.files import sha256
from retrieval.tokens.index import TokenIndex
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


HALVES = np.array(
    [
        np.where((one % 16 >> np.arange(16) % 4) & 1, -0.5, 0.5) * (np.arange(16) // 4 == one // 16)
        for one in range(64)
    ],
    np.float32,
)
"""Unit vectors (64, 16) of four halves each: all that is computed of them is exact on every processor."""


class ExactTrainer:
    """Centroids and codebooks whose every product and distance is exact, with no tie; lists in turn."""

    def train(self, index, sample, seed):
        index.quantizer.add(HALVES)
        if hasattr(index, "pq"):
            line = np.linspace(-0.96875, 0.90625, 16)
            grid = np.stack(np.meshgrid(*[[-1, -0.375, 0.25, 1]] * 2), axis=-1)
            book = (line if index.pq.dsub == 1 else grid).astype(np.float32).ravel()
            faiss.copy_array_to_vector(np.tile(book, index.pq.M), index.pq.centroids)
        index.is_trained = True

    def assigner(self, index):
        return lambda rows: np.arange(len(rows), dtype=np.int64) * 7 % index.nlist


def halves(first, passages):
    """So many passages of 5 to 11 tokens."""
    starts = np.cumsum([first, *(5 + np.arange(passages) % 7)])
    return [HALVES[np.arange(a, b) % 64] for a, b in itertools.pairwise(starts.tolist())]


@pytest.mark.parametrize("tier", ["fast", "fine", "compact"])
def test_inverted_lists_have_the_same_files_with_the_same_bytes(tmp_path, tier):
    golden = json.loads(GOLDEN.read_text("utf-8"))["lists"][tier]
    like, found = None, []
    for place, passages in enumerate((40, 45)):
        directory = tmp_path / str(place)
        directory.mkdir()
        rows = halves(place, passages)
        TokenIndex.build(directory, rows, tier=tier, like=like, flat_up_to=0, trainer=ExactTrainer())
        like = TokenIndex.open(directory)
        assert (like.tier, like.lists.lists) == (tier, 64)
        found.append({file.name: sha256(file) for file in sorted(directory.iterdir())})
    assert found == golden
    assert found[0]["trained.faiss"] == found[1]["trained.faiss"]  # the second inherits the first's
