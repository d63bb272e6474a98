"""Files: everything is on disk before it is named, locks hold, claims end with their process."""

import fcntl
import os
import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import Collection, Document, IndexSettings
from retrieval.segments import SegmentEntry, read_live, write_tombstones
from retrieval.segments.files import (
    claimed,
    exclusive,
    is_claimed,
    make_room_for_files,
    remove,
    sha256,
    sync_tree,
)
from tests.support.fakes import MODELS, OTTERS


@pytest.fixture
def steps(monkeypatch):
    """What is flushed to disk and what is renamed, in order."""
    recorded = []
    real_fsync, real_rename, real_replace = os.fsync, os.rename, os.replace

    def fsync(descriptor):
        real_fsync(descriptor)
        recorded.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))

    def renaming(real):
        def rename(source, target):
            real(source, target)
            recorded.append(("rename", Path(source), Path(target)))

        return rename

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", renaming(real_rename))
    monkeypatch.setattr(os, "replace", renaming(real_replace))
    return recorded


def test_all_of_a_version_is_on_disk_before_it_is_named(tmp_path, steps):
    path = tmp_path / "c"
    collection = Collection.create(path, **MODELS, settings=IndexSettings(16, 2))
    collection.add(OTTERS)
    steps.clear()
    commit = collection.add([Document("new", "A newt."), Document("old-1", "Changed.")])

    renames = [at for at, step in enumerate(steps) if step[0] == "rename"]
    segment, tombstones, manifest = (
        next(at for at in renames if steps[at][2].parts[len(path.parts)] == part)
        for part in ("segments", "tombstones", "manifest.json")
    )
    assert len(renames) == 3
    assert max(segment, tombstones) < manifest

    def synced(what, after, before):
        return ("sync", what) in steps[after + 1 : before]

    final = path / "segments" / commit.segment
    draft = steps[segment][1]
    written = [one.relative_to(final) for one in final.rglob("*")]
    assert Path("segment.json") in written
    for relative in [*written, Path(".")]:
        assert synced(draft / relative, -1, segment), relative
    assert synced(path / "segments", segment, manifest)
    assert synced(steps[tombstones][1], -1, tombstones)
    assert synced(path / "tombstones", tombstones, manifest)
    assert synced(steps[manifest][1], -1, manifest)
    assert synced(path, manifest, len(steps))


def test_a_new_collection_is_on_disk(tmp_path, steps):
    Collection.create(tmp_path / "c", **MODELS, settings=IndexSettings())
    named = next(at for at, step in enumerate(steps) if step[0] == "rename")
    assert ("sync", tmp_path / "c") in steps[named:]
    assert ("sync", tmp_path) in steps[named:]


def test_a_lock_keeps_other_threads_out(tmp_path):
    inside, most = [], []

    def work():
        for _ in range(20):
            with exclusive(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80


def test_a_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="inside"), exclusive(tmp_path / "lock"):
        raise ValueError("inside")
    descriptor = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_claims(tmp_path):
    draft = tmp_path / "seg-1.tmp"
    draft.mkdir()
    with claimed(draft):
        assert is_claimed(draft)
        final = draft.rename(tmp_path / "seg-1")
        assert is_claimed(final)
    assert not is_claimed(final)
    (tmp_path / "file").touch()
    assert not is_claimed(tmp_path / "file")
    assert not is_claimed(tmp_path / "nothing")
    for path in (final, final, tmp_path / "file"):
        remove(path)
    assert list(tmp_path.iterdir()) == []


def test_large_files_are_hashed_whole(tmp_path):
    import hashlib

    data = np.random.default_rng(0).bytes((1 << 20) * 2 + 17)
    (tmp_path / "f").write_bytes(data)
    assert sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()
    sync_tree(tmp_path)


@given(live=st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
def test_tombstones_come_back(tmp_path_factory, live):
    path = tmp_path_factory.mktemp("c")
    (path / "tombstones").mkdir()
    bits = np.array(live, bool)
    tombstones = write_tombstones(path, "seg", 3, bits)
    assert tombstones.deleted == live.count(False)
    assert read_live(path, SegmentEntry("seg", "", len(live), 0, tombstones)).tolist() == live
    assert read_live(path, SegmentEntry("seg", "", len(live), 0)) is None


def test_room_for_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        make_room_for_files()
        now, still = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert still == hard
        assert now == (1 << 16 if hard == resource.RLIM_INFINITY else min(hard, 1 << 16))
        make_room_for_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == now
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
