"""Damage: a changed byte or a missing file is found before it is used, and named."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import BatchKey, Collection, Document, IndexSettings
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.segments import Manifest
from tests.support.fakes import MODELS, ids
from tests.support.fakes import OTTERS as OLD
from tests.support.speeds import examples


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A collection with two segments, tombstones and a batch."""
    collection = Collection.create(
        tmp_path_factory.mktemp("sound") / "c", **MODELS, settings=IndexSettings(16, 2)
    )
    collection.add(OLD, batch=BatchKey("jöb", 1))
    collection.add([Document("ü", "An otter.", title="Ü", metadata={"tags": ["a"]})])
    collection.delete(["old-0"])
    return collection.path


def files(path):
    return sorted(one for one in path.rglob("*") if one.is_file() and one.name != "lock")


@settings(max_examples=examples(150))
@given(file=st.integers(0, 10_000), place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_changed_byte_is_found_before_it_is_used(sound, tmp_path_factory, file, place, change):
    path = tmp_path_factory.mktemp("changed") / "c"
    shutil.copytree(sound, path)
    targets = [one for one in files(path) if one.stat().st_size]
    target = targets[file % len(targets)]
    content = bytearray(target.read_bytes())
    at = int(place * len(content))
    content[at] ^= change
    target.write_bytes(content)
    try:
        Collection.open(path, **MODELS)
    except CorruptSegment as corrupt:
        assert corrupt.path == str(target)  # noqa: PT017
    except IndexMismatch:
        pytest.fail("damage is no other version")
    else:
        # White space and the case of an escape's digits are the only bytes that mean nothing.
        assert target.name == "manifest.json"
        assert Manifest.read(path) == Manifest.read(sound)
        return
    finally:
        shutil.rmtree(path)


@pytest.mark.long
@pytest.mark.parametrize("how", ["cut short", "made longer", "missing", "empty"])
def test_every_damaged_file_is_named(sound, tmp_path, how):
    for number, file in enumerate(files(sound)):
        path = tmp_path / str(number)
        shutil.copytree(sound, path)
        opened = Collection.open(path, **MODELS)
        target = path / file.relative_to(sound)
        content = target.read_bytes()
        if how == "missing":
            target.unlink()
        elif content or how == "made longer":
            target.write_bytes({"cut short": content[:-1], "made longer": content + b"x", "empty": b""}[how])
        else:
            continue
        assert [problem.path for problem in opened.verify()] == [str(target)]
        with pytest.raises(CorruptSegment) as raised:
            Collection.open(path, **MODELS)
        assert raised.value.path == str(target)
        shutil.rmtree(path)


def test_a_segment_that_arrives_damaged_is_not_used(sound, tmp_path):
    path = tmp_path / "c"
    shutil.copytree(sound, path)
    reader = Collection.open(path, **MODELS)
    Collection.open(path, **MODELS).add([Document("new", "An otter.")])
    newest = max((path / "segments").iterdir(), key=lambda one: one.stat().st_mtime_ns)
    target = newest / "lexical" / "terms.npy"
    content = target.read_bytes()
    target.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for _ in range(2):
        with pytest.raises(CorruptSegment, match=r"terms\.npy"):
            reader.snapshot()
    target.write_bytes(content)
    assert "new" in ids(reader)


def test_all_damage_is_listed(sound, tmp_path):
    path = tmp_path / "c"
    shutil.copytree(sound, path)
    collection = Collection.open(path, **MODELS)
    targets = [*path.glob("segments/*/passages/spans.npy"), *path.glob("tombstones/*")]
    for target in targets:
        target.unlink()
    assert sorted(problem.path for problem in collection.verify()) == sorted(map(str, targets))
