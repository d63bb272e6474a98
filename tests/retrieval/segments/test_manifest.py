"""The manifest: what is written is read, and nothing else is taken for one."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.segments import BatchKey, Commit, IndexSettings, Manifest, SegmentEntry, Tombstones
from retrieval.segments.manifest import FORMAT

counts = st.integers(0, 2**40)
names = st.text(max_size=8)
tombstones = st.none() | st.builds(Tombstones, file=names, checksum=names, deleted=counts)
segments = st.builds(
    SegmentEntry, name=names, checksum=names, documents=counts, passages=counts, tombstones=tombstones
)
commits = st.builds(
    Commit,
    version=counts,
    segment=st.none() | names,
    checksum=names,
    added=counts,
    replaced=counts,
    passages=counts,
)
manifests = st.builds(
    Manifest,
    version=counts,
    encoder=names,
    vocabulary=names,
    settings=st.builds(IndexSettings, counts, counts, st.booleans()),
    segments=st.lists(segments, max_size=3).map(tuple),
    batches=st.dictionaries(names, commits, max_size=3),
)


@given(manifests)
def test_a_manifest_is_read_as_it_was_written(manifest):
    assert Manifest.decode(manifest.encode(), Path("m")) == manifest


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | names, st.lists).map(lambda one: json.dumps(one).encode())
)
def test_what_is_none_is_refused(data):
    with pytest.raises(CorruptSegment):
        Manifest.decode(data, Path("m"))


@given(manifests, st.sampled_from(["version", "encoder", "vocabulary", "segments", "batches", "format"]))
def test_a_changed_field_is_found(manifest, field):
    body = json.loads(manifest.encode())
    body[field] = "changed"
    with pytest.raises(CorruptSegment, match="checksum"):
        Manifest.decode(json.dumps(body).encode(), Path("m"))


def test_another_format_is_told_apart_from_damage(monkeypatch):
    monkeypatch.setattr("retrieval.segments.manifest.FORMAT", FORMAT + 1)
    newer = Manifest(1, "e", "v", IndexSettings()).encode()
    monkeypatch.undo()
    with pytest.raises(IndexMismatch) as raised:
        Manifest.decode(newer, Path("m"))
    assert raised.value.built_with == str(FORMAT + 1)


def test_a_collection_can_be_moved_and_replaced_whole(tmp_path):
    manifest = Manifest(3, "e", "", IndexSettings(ngrams=False))
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert [one.name for one in tmp_path.iterdir()] == ["manifest.json"]
    assert str(BatchKey("job/1", 2)) == "job/1/2"


def test_batches_of_earlier_versions_are_read():
    manifest = Manifest(3, "e", "v", IndexSettings(), batches={"job/0": Commit(1, "seg", "c", 1, 2, 3)})
    body = json.loads(manifest.encode())
    del body["sha256"]
    body["batches"] = {key: asdict(one) for key, one in manifest.batches.items()}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    data = json.dumps(body | {"sha256": hashlib.sha256(text.encode()).hexdigest()}, indent=1)
    assert Manifest.decode(data.encode(), Path("m")) == manifest
