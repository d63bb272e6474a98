"""A merge gives what building anew would, and whatever happens meanwhile counts."""

import os
import time
from pathlib import Path

import pytest

from retrieval import BatchKey, Deletion, Document, MergePolicy
from retrieval.collections.compacting import compact
from tests.support.fakes import ids

pytestmark = pytest.mark.long

EAGER = MergePolicy(fan_in=2)


def document(number, words=40):
    text = " ".join(f"otter word{number} number{at % 7}." for at in range(words))
    return Document(f"d{number}", text, f"Title {number}", {"number": number, "even": number % 2 == 0})


def filled(make, name="c", batches=3, size=4, **settings):
    collection = make(name, **settings)
    for batch in range(batches):
        collection.add([document(number) for number in range(batch * size, (batch + 1) * size)])
    return collection


def files(collection):
    """Every file of its only segment."""
    (directory,) = (collection.path / "segments").iterdir()
    return {str(one.relative_to(directory)): one.read_bytes() for one in directory.rglob("*.*")}


def numbers(collection):
    return {one for one in range(100) if collection.contains([f"d{one}"])}


class During:
    """A pause that does something, the first time."""

    def __init__(self, act):
        self.act = act
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls == 1:
            self.act()


@pytest.mark.parametrize("ngrams", [True, False])
def test_a_merged_segment_is_byte_for_byte_one_built_anew(make, ngrams):
    collection = filled(make, ngrams=ngrams)
    collection.add([Document("d20", "  "), Document("d21", "")])
    collection.delete(["d1", "d6", "d7", "d21"])
    assert collection.merge(EAGER)
    fresh = make("fresh", ngrams=ngrams)
    kept = [document(number) for number in range(12) if number not in (1, 6, 7)]
    fresh.add([*kept, Document("d20", "  ")])
    assert files(collection) == files(fresh)
    assert collection.stats().fields == fresh.stats().fields


def test_merging_again_changes_nothing_more(make):
    collection = filled(make)
    assert collection.merge(EAGER)
    before = files(collection)
    collection.add([Document("gone", "A heron.")])
    assert collection.merge(EAGER)
    collection.delete(["gone"])
    assert compact(collection.path).merges
    assert files(collection) == before
    assert not compact(collection.path).merges
    assert not collection.merge(EAGER)


def test_changes_during_a_merge_count_and_do_not_wait_for_it(make, reopen):
    collection = filled(make)
    other = reopen(collection)

    def change():
        other.delete(["d0", "d5"])
        other.add([Document("d1", "A heron instead."), Document("d30", "An otter as well.")])
        assert numbers(collection) == {*range(12), 30} - {0, 5}

    during = During(change)
    assert collection.merge(EAGER, pause=during)
    assert during.calls > 1
    for one in (collection, other, reopen(collection)):
        assert numbers(one) == {*range(12), 30} - {0, 5}
        assert ids(one) == {f"d{number}" for number in ({*range(12), 30} - {0, 1, 5})}
        assert ids(one, "heron") == {"d1"}
        assert one.stats().version == 6
        assert one.stats().segments == 2
        assert one.verify() == []


def test_a_merge_whose_input_is_gone_is_given_up(make):
    collection = filled(make)
    during = During(lambda: collection.delete([f"d{number}" for number in range(4)]))
    assert not collection.merge(EAGER, pause=during)
    assert numbers(collection) == set(range(4, 12))
    assert collection.stats().version == 4
    assert len(list((collection.path / "segments").iterdir())) == 2
    assert collection.merge(EAGER)


def test_all_is_deleted_while_a_rewrite_goes_on(make):
    collection = filled(make, batches=1)
    collection.delete(["d0", "d1"])
    during = During(lambda: collection.delete([f"d{number}" for number in range(12)]))
    assert not collection.merge(pause=during)
    assert list((collection.path / "segments").iterdir()) == []


def test_what_pause_raises_ends_the_merge_and_leaves_nothing(make):
    collection = filled(make)
    before = sorted(collection.path.rglob("*"))

    class Stop(Exception):
        pass

    def stop():
        raise Stop

    with pytest.raises(Stop):
        collection.merge(EAGER, pause=stop)
    assert sorted(collection.path.rglob("*")) == before
    assert collection.stats().version == 3
    assert collection.merge(EAGER)


def test_a_second_merge_takes_only_what_the_first_has_not(make, reopen):
    collection = filled(make)
    other = reopen(collection)
    seen = []

    def second():
        seen.append(other.merge(EAGER))
        other.add([Document("d40", "An otter.")])
        seen.append(other.merge(EAGER))
        other.add([Document("d41", "An otter.")])
        seen.append(other.merge(EAGER))

    assert collection.merge(EAGER, pause=During(second))
    assert seen == [False, False, True]
    assert numbers(collection) == {*range(12), 40, 41}
    assert collection.stats().segments == 2
    assert collection.verify() == []


def test_what_is_dearer_than_the_budget_waits(make):
    collection = filled(make)
    passages = collection.stats().passages
    assert not collection.merge(EAGER, budget=passages - 1)
    assert collection.merge(EAGER, budget=passages)


def test_the_dead_are_written_out(make):
    collection = filled(make, batches=1, size=10)
    collection.delete(["d0"])
    assert not collection.merge()
    before = collection.stats().bytes
    assert collection.delete(["d1", "d2"]) == Deletion(version=3, deleted=2)
    assert collection.merge()
    assert collection.stats().bytes < before * 0.8
    assert list((collection.path / "tombstones").iterdir()) == []


def test_a_reader_keeps_its_version_while_segments_are_merged(make):
    collection = filled(make)
    with collection.snapshot() as snapshot:
        texts = [snapshot.passage(number).text for number in range(snapshot.passages)]
        assert compact(collection.path).merges
        assert [snapshot.passage(number).text for number in range(snapshot.passages)] == texts
        assert snapshot.version < collection.stats().version


def test_batches_are_forgotten_when_that_is_asked_for(make, reopen):
    collection = make()
    keys = [BatchKey("job/a", 0), BatchKey("job/a", 1), BatchKey("job", 0)]
    for number, key in enumerate(keys):
        collection.add([document(number)], batch=key)
    assert collection.jobs == {"job", "job/a"}
    before = collection.stats()
    collection.forget(["job/a", "nobody's"])
    for one in (collection, reopen(collection)):
        assert one.jobs == {"job"}
        assert [one.committed(key) is None for key in keys] == [True, True, False]
        assert one.stats().version == before.version == 3
        assert one.contains(["d0", "d1", "d2"]) == {"d0", "d1", "d2"}


def test_a_small_segment_holds_few_files_open(make):
    home = Path("/proc/self/fd")
    if not home.is_dir():
        pytest.skip("there is no list of open files")
    collection = make()

    def opened():
        links = [os.readlink(home / one) for one in os.listdir(home) if (home / one).is_symlink()]
        return sum(str(collection.path) in link for link in links)

    collection.add([document(0)])
    one = opened()
    collection.add([document(1)])
    assert opened() - one <= 10


def test_a_manifest_with_many_batches_is_written_fast(make):
    from retrieval.segments import Commit, Manifest

    collection = filled(make, batches=1)
    commit = Commit(7, "seg-" + "0" * 32, "0" * 64, 10, 0, 100)
    manifest = Manifest.read(collection.path)
    manifest.batches.update({f"job_{number // 50}/{number % 50}": commit for number in range(10_000)})
    began = time.process_time()
    data = manifest.encode()
    assert time.process_time() - began < 0.5
    assert len(data) < 2_500_000
    assert Manifest.decode(data, collection.path) == manifest
