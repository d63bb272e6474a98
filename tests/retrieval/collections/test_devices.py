"""A collection with devices: its lists are trained there, and it is searched there, deletions and all."""

import pytest
import torch

from retrieval import Collection, Document, IndexSettings
from retrieval.collections.compacting import compact
from retrieval.tokens import index
from retrieval.tokens.devices import ResidentCodes
from retrieval.tokens.devices.accelerator import Accelerator
from tests.support.fakes import MODELS, HashEncoder
from tests.support.searches import by_tokens

WORDS = ["otter", "river", "fish", "stone", "bank", "water", "night", "moss", "reed", "heron"]


def documents(first, last):
    return [
        Document(
            f"d{at}",
            " ".join(f"{word} {word}{(at * (place + 3)) % 17}" for place, word in enumerate(WORDS)),
            metadata={"at": at},
        )
        for at in range(first, last)
    ]


@pytest.fixture(autouse=True)
def small_segments_have_lists(monkeypatch):
    monkeypatch.setattr(index, "FLAT_UP_TO", 300)
    monkeypatch.setattr(index, "FLAT_BESIDE", 300)


def made(path, accelerator):
    return Collection.create(
        path,
        **MODELS,
        settings=IndexSettings(passage_tokens=16, overlap_tokens=2),
        accelerator=accelerator,
    )


def found(collection, query, filter=None):  # noqa: A002
    vectors = HashEncoder().encode_queries([query])[0].vectors
    with collection.snapshot() as snapshot:
        hits = by_tokens(
            snapshot,
            vectors,
            selection=snapshot.allowed(filter),
            limit=500,
            k_tokens=100,
            exact_up_to=0,
            refine=100,
        )
        return [snapshot.passage(int(number)).id for number in hits.numbers[:10]], hits.scores[:10].tolist()


@pytest.fixture
def accelerator():
    device = torch.device("cpu")
    # Room for codes, and for the flat segment's vectors, but not for the vectors of all.
    return Accelerator([device, device], budget=70_000)


@pytest.mark.long
def test_additions_and_merges_are_trained_on_the_device(tmp_path, accelerator, monkeypatch):
    trained, assigned = [], []
    trainer = accelerator.trainer
    train, assigner = trainer.train, trainer.assigner
    monkeypatch.setattr(trainer, "train", lambda *given: (trained.append(1), train(*given)))
    monkeypatch.setattr(
        trainer, "assigner", lambda index: lambda rows: (assigned.append(len(rows)), assigner(index)(rows))[1]
    )
    collection = made(tmp_path / "c", accelerator)
    collection.add(documents(0, 100))
    collection.add(documents(100, 150))
    assert (len(trained), sum(assigned)) == (1, tokens(collection))
    assert compact(collection.path, trainer=accelerator.trainer).merges
    assert len(assigned) >= 3
    without = made(tmp_path / "d", None)
    without.add(documents(0, 150))
    assert len(trained) == 1
    # What was trained on the device is read and searched without it.
    served = Collection.open(collection.path, **MODELS)
    assert found(served, "otter river3 fish") == found(without, "otter river3 fish")


def tokens(collection):
    with collection.snapshot() as snapshot:
        return sum(segment.indexes["tokens"].index.tokens for segment in snapshot.searched.segments)


@pytest.mark.long
def test_searches_find_what_they_find_without_it(tmp_path, accelerator):
    collection = made(tmp_path / "c", accelerator)
    for first in range(0, 200, 100):
        collection.add(documents(first, first + 100))
    collection.add(documents(200, 205))
    collection.delete([f"d{at}" for at in range(0, 200, 3)])
    alone = Collection.open(collection.path, **MODELS)
    for query, condition in (
        ("otter river3 fish", None),
        ("moss9 heron2", {"at": {"$lt": 90}}),
        ("reed4", {"at": 7}),
    ):
        numbers, scores = found(collection, query, condition)
        wanted, their_scores = found(alone, query, condition)
        assert numbers == wanted
        assert scores == pytest.approx(their_scores, abs=1e-5)
    held = [type(one) for shard in accelerator._shards for one in shard.held.values()]
    assert held.count(ResidentCodes) == 2
