"""An index from elsewhere is tried in a child process: what is sound comes in, what is not harms the child alone."""

import io
import json
import random
import subprocess

import faiss
import numpy as np
import pytest

from retrieval.archive import Expected, open_archive, try_in_child
from retrieval.archive.trial import try_collection
from retrieval.errors import CorruptSegment
from retrieval.tokens import TokenIndex
from tests.support.crafting import documents, take_apart
from tests.support.fakes import HashEncoder, WordVocabulary

EXPECTED = Expected(HashEncoder.dim, WordVocabulary.size)


@pytest.fixture
def unpacked(archive, tmp_path):
    with open_archive(archive) as opened:
        opened.unpack(tmp_path / "c", lambda _: None)
    return tmp_path / "c"


def listed(directory):
    """The token index that has inverted lists."""
    return next(directory.rglob("tokens.faiss")).parent


@pytest.mark.process
def test_a_sound_collection_passes(unpacked):
    try_in_child(unpacked, EXPECTED)


@pytest.mark.process
def test_other_models_are_refused(unpacked):
    with pytest.raises(ValueError, match="dimensions"):
        try_in_child(unpacked, Expected(8, EXPECTED.vocabulary_size))
    with pytest.raises(ValueError, match="token ids"):
        try_collection(unpacked, Expected(EXPECTED.dim, 7))


@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("tokens.faiss", lambda data: data[:40] + b"\xff" * 16 + data[56:]),
        ("trained.faiss", lambda data: data[: len(data) // 2]),
    ],
)
def test_a_damaged_faiss_file_stays_in_the_child(unpacked, file, change):
    path = listed(unpacked) / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=r"."):
        try_in_child(unpacked, EXPECTED)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("codes.npy", lambda data: data[:-5]),
        ("tokens.faiss", lambda data: b""),
        ("tokens.json", lambda data: json.dumps(json.loads(data) | {"tokens": 1 << 50}).encode()),
        ("tokens.json", lambda data: json.dumps(json.loads(data) | {"dim": 10**9}).encode()),
        ("scales.npy", lambda data: data[:-4] + np.float32(np.nan).tobytes()),
    ],
)
def test_a_damaged_index_is_refused(unpacked, file, change):
    path = listed(unpacked) / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises((ValueError, CorruptSegment)):
        try_collection(unpacked, EXPECTED)


def searched(directory):
    """Opens and searches an index here, as a service would."""
    index = TokenIndex.open(directory)
    queries = np.concatenate([index.vectors(number)[:1] for number in range(index.passages)])
    _, passages = index.search(queries, 20, None)
    assert passages.max() < index.passages


def flip(unpacked, seed):
    """Changes a few bits of a FAISS file; whatever the child lets through, this process can search."""
    rng = random.Random(seed)
    path = listed(unpacked) / rng.choice(["tokens.faiss", "trained.faiss"])
    data = bytearray(path.read_bytes())
    reach = 300 if rng.random() < 0.5 else len(data)  # sizes and kinds are written at the beginning
    for _ in range(rng.choice([1, 4])):
        data[rng.randrange(min(reach, len(data)))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    try:
        try_in_child(unpacked, EXPECTED)
    except ValueError:
        return
    searched(path.parent)


@pytest.mark.process
@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_of_a_faiss_file_stay_in_the_child(unpacked, seed):
    flip(unpacked, seed)


@pytest.mark.process
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_more_flipped_bits(unpacked, seed):
    flip(unpacked, seed)


def craft(unpacked, make):
    path = listed(unpacked) / "tokens.faiss"
    index = faiss.read_index(str(path))
    faiss.write_index(make(index), str(path))
    with pytest.raises(ValueError, match="lists"):
        try_collection(unpacked, EXPECTED)


def lists_with(unpacked, owners_of):
    """The same tokens in the same lists, under other passages."""
    trained = faiss.read_index(str(listed(unpacked) / "trained.faiss"))
    ours = TokenIndex.open(listed(unpacked))
    owners = np.repeat(np.arange(ours.passages), ours.lengths)
    trained.add_with_ids(
        np.concatenate([ours.vectors(number) for number in range(ours.passages)]), owners_of(owners)
    )
    return trained


def test_passages_that_are_not_there_are_refused(unpacked):
    craft(unpacked, lambda _: lists_with(unpacked, lambda owners: np.where(owners == 7, 10**12, owners)))


def test_negative_passages_are_refused(unpacked):
    craft(unpacked, lambda _: lists_with(unpacked, lambda owners: np.where(owners == 7, -5, owners)))


def test_passages_with_the_tokens_of_others_are_refused(unpacked):
    craft(unpacked, lambda _: lists_with(unpacked, lambda owners: np.where(owners == 7, 8, owners)))


def test_another_kind_of_index_of_the_same_sizes_is_refused(unpacked):
    def other(index):
        quantiser = faiss.IndexFlatIP(index.d)
        made = faiss.IndexIVFFlat(quantiser, index.d, index.nlist, faiss.METRIC_INNER_PRODUCT)
        ours = TokenIndex.open(listed(unpacked))
        vectors = np.concatenate([ours.vectors(number) for number in range(ours.passages)])
        made.train(vectors)
        made.add_with_ids(vectors, np.repeat(np.arange(ours.passages), ours.lengths))
        return made

    craft(unpacked, other)


def array_changed(path, change):
    array = np.load(path)
    change(array)
    np.save(path, array)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("ngrams/sa.npy", lambda array: array.__setitem__(slice(0, 2), array[1::-1].copy())),
        ("ngrams/sa.npy", lambda array: array.__setitem__(5, 2**32 - 1)),
        ("ngrams/first.npy", lambda array: array.__setitem__(3, array[-1])),
        ("ngrams/tokens.npy", lambda array: array.__setitem__(0, array[0] ^ 1)),
        ("ngrams/starts.npy", lambda array: array.__setitem__(1, array[1] + 1)),
        ("lexical/terms.npy", lambda array: array.__setitem__(0, -1)),
        ("lexical/starts.npy", lambda array: array.__setitem__(1, 10**6)),
        ("passages/owners.npy", lambda array: array.__setitem__(-1, 10**6)),
        ("passages/owners.npy", lambda array: array.__setitem__(0, 1)),
        ("passages/bounds.npy", lambda array: array.__setitem__(1, array[1] - 1)),
        ("passages/spans.npy", lambda array: array.__setitem__((0, 0), 1)),
        ("tokens/starts.npy", lambda array: array.__setitem__(1, array[1] + 1)),
        ("token_offsets.npy", lambda array: array.__setitem__((0, 0), -7)),
    ],
)
def test_arrays_that_lead_nowhere_are_refused(unpacked, file, change):
    array_changed(listed(unpacked).parent / file, change)
    with pytest.raises((ValueError, IndexError, CorruptSegment)):
        try_collection(unpacked, EXPECTED)


def test_pickles_are_not_opened(unpacked):
    np.save(next(unpacked.rglob("owners.npy")), np.array([print], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        try_collection(unpacked, EXPECTED)


@pytest.mark.parametrize("how", ["missing", "other text", "other title", "unknown", "twice", "no document"])
def test_documents_must_be_those_of_the_index(unpacked, how):
    path = unpacked / "documents.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    first = json.loads(lines[0])
    changed = {
        "missing": [],
        "other text": [first | {"text": "An other text."}],
        "other title": [first | {"title": "An other title"}],
        "unknown": [first, first | {"id": "unknown"}],
        "twice": [first, first],
        "no document": [first | {"text": 7}],
    }[how]
    path.write_bytes(b"".join([*(json.dumps(one).encode() + b"\n" for one in changed), *lines[1:]]))
    with pytest.raises(ValueError, match="document"):
        try_collection(unpacked, EXPECTED)


ENDLESS = """
import retrieval.archive.quarantine as quarantine
def never_done(*_):
    while True:
        pass
quarantine.try_collection = never_done
quarantine.main()
"""


@pytest.mark.process
def test_what_takes_more_than_it_may_is_refused(unpacked, monkeypatch):
    with pytest.raises(ValueError, match=r"."):
        try_in_child(unpacked, EXPECTED, memory=1 << 20)
    run = subprocess.run
    # An index that takes long to open, without one: the child does nothing else differently.
    monkeypatch.setattr(
        subprocess, "run", lambda command, **options: run([command[0], "-c", ENDLESS, command[-1]], **options)
    )
    with pytest.raises(ValueError, match=r"ended with status -|took longer"):
        try_in_child(unpacked, EXPECTED, seconds=2)


@pytest.mark.process
def test_the_child_is_told_no_secrets(unpacked, monkeypatch):
    seen = {}
    run = subprocess.run
    monkeypatch.setenv("EXCERPTA_API_KEYS", "a-key-of-the-service")
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: (seen.update(options), run(*args, **options))[1]
    )
    try_in_child(unpacked, EXPECTED)
    assert "a-key-of-the-service" not in seen["env"].values()


def test_the_files_of_an_archive_are_those_of_its_list(archive):
    header, files = take_apart(archive)
    assert [member.path for member in header.members] == list(files)
    assert len(documents(42)) - 1 == header.documents == len(io.BytesIO(files["documents.jsonl"]).readlines())
