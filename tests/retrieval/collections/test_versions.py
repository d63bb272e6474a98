"""Versions: what another process commits is seen, what fails leaves the old version, what is used stays."""

import errno
import os
import threading

import pytest

import retrieval.collections.versions
from retrieval import Collection, Document
from retrieval.segments import manifest, segment, sweeping
from retrieval.tokens import TokenIndex
from tests.support.fakes import MODELS, HashEncoder, ids
from tests.support.fakes import OTTERS as OLD
from tests.support.searches import by_tokens, by_words

OLD_IDS = {one.id for one in OLD}


def drafts(collection):
    return [one for one in collection.path.rglob("*") if ".tmp" in one.name]


def test_each_commit_is_seen_though_its_manifest_looks_the_same(make, reopen):
    collection = make()
    collection.add(OLD)
    other = reopen(collection)
    file = collection.path / "manifest.json"
    for at in range(4):
        before = file.stat()
        other.delete([f"old-{at}"])
        other.add([Document(f"old-{at}", "A newt.")])
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert ids(collection, "newt") == {f"old-{one}" for one in range(at + 1)}


def test_a_view_holds_one_file_open_and_lets_it_go(make):
    collection = make()

    where = str(collection.path)

    def open_files():
        links = (os.path.realpath(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd"))
        return sum("manifest.json" in link for link in links if link.startswith(where))

    for at in range(5):
        collection.add([Document(str(at), "otter")])
        assert open_files() == 1
    del collection
    assert open_files() == 0


def test_a_reader_that_comes_too_late_for_its_files_reads_the_newer_version(make, reopen, monkeypatch):
    collection = make()
    reader = reopen(collection)
    collection.add(OLD)
    real = retrieval.collections.versions.open_segment
    opened = []

    def late(*which):
        opened.append(which[1])
        if len(opened) == 1:
            collection.delete(OLD_IDS)
            collection.add([Document("new", "An otter.")])
        return real(*which)

    monkeypatch.setattr(retrieval.collections.versions, "open_segment", late)
    assert ids(reader) == {"new"}
    assert len(set(opened)) > 1


def test_verify_is_not_misled_by_a_commit_in_between(make, monkeypatch):
    collection = make()
    collection.add(OLD)
    real = segment.sha256
    checked = []

    def slow(path):
        if not checked:
            checked.append(path)
            collection.delete(OLD_IDS)
        return real(path)

    monkeypatch.setattr(segment, "sha256", slow)
    assert collection.verify() == []
    assert checked


def test_a_draft_outlives_the_sweeps_of_others(make, reopen):
    collection = make()
    collection.add(OLD)
    encoding, go_on = threading.Event(), threading.Event()

    class Slow(HashEncoder):
        def encode_passages(self, texts):
            encoding.set()
            assert go_on.wait(20)
            return super().encode_passages(texts)

    slow = Collection.open(collection.path, encoder=Slow(), vocabulary=MODELS["vocabulary"])
    thread = threading.Thread(target=slow.add, args=([Document("new", "An otter."), Document("old-1", "-")],))
    thread.start()
    assert encoding.wait(20)
    assert len(drafts(collection)) == 1
    reopen(collection).delete(["old-0", "old-1"])
    assert len(drafts(collection)) == 1
    go_on.set()
    thread.join()
    assert ids(collection) == {"new", "old-2", "old-3"}
    assert drafts(collection) == []


def test_what_a_crash_left_is_swept_by_the_next_opening(make, reopen):
    collection = make()
    collection.add(OLD)
    segments, tombstones = collection.path / "segments", collection.path / "tombstones"
    (segments / "seg-1.tmp" / "tokens").mkdir(parents=True)
    (segments / "seg-2").mkdir()
    (segments / "seg-2" / "segment.json").write_text("{}")
    (segments / "stray").write_text("")
    (tombstones / "seg-1.9.npy").write_bytes(b"")
    (collection.path / "manifest.json.1.tmp").write_text("{")
    assert ids(reopen(collection)) == OLD_IDS
    assert len(list(segments.iterdir())) == 1
    assert list(tombstones.iterdir()) == []
    assert drafts(collection) == []


def test_a_sweep_that_fails_does_not_undo_the_commit(make, monkeypatch):
    collection = make()
    collection.add(OLD)

    def refuse(path):
        raise PermissionError(errno.EACCES, "no", str(path))

    monkeypatch.setattr(sweeping, "remove", refuse)
    assert collection.delete(OLD_IDS).deleted == 4
    assert collection.stats().segments == 0
    assert len(list((collection.path / "segments").iterdir())) == 1
    monkeypatch.undo()
    collection.add(OLD[:1])
    assert len(list((collection.path / "segments").iterdir())) == 1


@pytest.mark.parametrize("step", ["index", "manifest"])
def test_a_full_disk_leaves_the_old_version(make, reopen, monkeypatch, step):
    collection = make()
    collection.add(OLD)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "no space left on device")

    if step == "index":
        monkeypatch.setattr(TokenIndex, "build", full)
    else:
        monkeypatch.setattr(manifest, "write_atomically", full)
    with pytest.raises(OSError, match="space"):
        collection.add([Document("new", "An otter."), Document("old-1", "A newt.")])
    monkeypatch.undo()
    assert ids(collection) == OLD_IDS
    assert ids(reopen(collection)) == OLD_IDS
    assert drafts(collection) == []
    assert len(list((collection.path / "segments").iterdir())) == 1
    assert list((collection.path / "tombstones").iterdir()) == []
    assert collection.add([Document("new", "An otter.")]).version == 2


def test_a_snapshot_outlives_its_segments(make):
    collection = make()
    collection.add(OLD)
    with collection.snapshot() as before:
        selection = before.allowed(None)
        collection.delete(OLD_IDS)
        assert list((collection.path / "segments").iterdir()) == []
        hits = by_words(before, "otter", limit=9, selection=selection)
        assert {before.passage(int(number)).document_id for number in hits.numbers} == OLD_IDS
        query = HashEncoder().encode_queries(["otter"])[0]
        assert len(by_tokens(before, query.vectors, selection=selection, limit=9, k_tokens=9, refine=9)) == 4
        assert before.explain("tokens", query, None, 0)[0].start == 3


def test_segments_are_opened_and_checked_once(make, monkeypatch):
    collection = make()
    collection.add(OLD)
    read = []
    real = segment.sha256
    monkeypatch.setattr(segment, "sha256", lambda path: read.append(path) or real(path))
    collection.add([Document("new", "An otter.")])
    collection.delete(["old-0"])
    ids(collection)
    names = [path.relative_to(collection.path).as_posix() for path in read]
    assert not any(OLD_IDS & {name} for name in names)
    opened = {name.split("/")[1] for name in names if not name.split("/")[1].endswith(".tmp")}
    assert len(opened) == 1
