"""A foreign index is tried in a child process: what is sound comes in whole, what is not leaves nothing."""

import json

import numpy as np
import pytest

from retrieval.errors import CorruptSegment
from retrieval.tokens import TokenIndex
from retrieval.tokens.quarantine import import_index

DIM = 16


@pytest.fixture
def foreign(tmp_path):
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal((8, DIM)).astype(np.float32) for _ in range(100)]
    directory = tmp_path / "foreign"
    directory.mkdir()
    TokenIndex.build(
        directory, [one / np.linalg.norm(one, axis=1, keepdims=True) for one in vectors], flat_up_to=0
    )
    return directory


def test_a_sound_index_comes_in_whole_and_alone(foreign, tmp_path):
    (foreign / "surprise.py").write_text("raise SystemExit")
    header = import_index(foreign, tmp_path / "ours")
    assert (header.passages, header.tokens, header.tier) == (100, 800, "fast")
    ours, theirs = TokenIndex.open(tmp_path / "ours"), TokenIndex.open(foreign)
    assert (ours.vectors(7) == theirs.vectors(7)).all()
    assert not (tmp_path / "ours" / "surprise.py").exists()


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("tokens.faiss", lambda data: data[: len(data) // 2]),
        ("tokens.faiss", lambda data: data[:40] + b"\xff" * 16 + data[56:]),
        ("tokens.faiss", lambda data: b""),
        ("codes.npy", lambda data: data[:-5]),
        ("tokens.json", lambda data: json.dumps(json.loads(data) | {"tokens": 1 << 50}).encode()),
        ("tokens.json", lambda data: json.dumps(json.loads(data) | {"dim": 10**9}).encode()),
        ("scales.npy", lambda data: data[:-4] + np.float32(np.nan).tobytes()),
    ],
)
def test_a_damaged_one_leaves_nothing(foreign, tmp_path, file, change):
    path = foreign / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CorruptSegment):
        import_index(foreign, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_what_takes_more_than_it_may_is_refused(foreign, tmp_path):
    with pytest.raises(CorruptSegment):
        import_index(foreign, tmp_path / "ours", memory_mb=64)
    assert not (tmp_path / "ours").exists()
