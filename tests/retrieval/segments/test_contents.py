"""A segment's contents: passages, what they are indexed by, and vectors on their way in."""

import itertools
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import Document, IndexSettings, Passage
from retrieval.catalogue import INDEXES
from retrieval.retrievers import IndexTools, own_offsets
from retrieval.segments import encode, indexed_text, open_segment, publish, write_segment
from retrieval.segments.passages import PassageStore
from retrieval.tokens.storage.vector_spool import VectorSpool
from tests.support.fakes import MODELS, HashEncoder, WordVocabulary
from tests.support.speeds import examples

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
drafts = st.lists(
    st.tuples(
        texts,
        st.dictionaries(texts, scalars | st.lists(scalars, max_size=2), max_size=2),
        st.lists(texts, max_size=3),
    ),
    max_size=5,
)


@given(drafts)
def test_documents_and_passages_come_back(tmp_path_factory, drafts):
    documents, passages = [], []
    for at, (title, metadata, own) in enumerate(drafts):
        ends = list(itertools.accumulate(map(len, own), initial=0))
        documents.append(Document(f"d{at}", "".join(own), title, metadata))
        passages.append(
            [
                Passage(f"d{at}", ordinal, text, ends[ordinal], ends[ordinal + 1], title, f"h{ordinal}")
                for ordinal, text in enumerate(own)
            ]
        )
    directory = tmp_path_factory.mktemp("passages")
    PassageStore.build(directory, documents, passages)
    store = PassageStore.open(directory)
    flat = [passage for of_one in passages for passage in of_one]
    assert [store.passage(number) for number in range(len(store))] == flat
    assert [store.ids[owner] for owner in store.owners] == [passage.document_id for passage in flat]
    assert store.metadata == [document.metadata for document in documents]
    assert {identity: store.ids[at] for identity, at in store.places.items()} == {
        one.id: one.id for one in documents
    }


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 4))
def test_spooled_vectors_come_back_in_half_precision(lengths, dim):
    random = np.random.default_rng(0)
    vectors = [random.standard_normal((length, dim)).astype(np.float32) for length in lengths]
    with tempfile.TemporaryDirectory() as directory:
        spool = VectorSpool(directory, dim)
        for one in vectors:
            spool.append(one)
        back = spool.passages()
    assert [one.shape for one in back] == [one.shape for one in vectors]
    for one, expected in zip(back, vectors, strict=True):
        np.testing.assert_array_equal(one, expected.astype(np.float16))


@settings(max_examples=examples(40))
@given(drafts)
def test_encoding_in_slices_equals_encoding_each_text(tmp_path_factory, drafts):
    documents = [
        Document(f"d{at}", "\n\n".join(own * 30), title) for at, (title, _, own) in enumerate(drafts)
    ]
    calls = []

    class Counting(HashEncoder):
        def encode_passages(self, texts):
            calls.append(len(texts))
            return super().encode_passages(texts)

    seen = []
    encoded = encode(
        documents,
        IndexTools(IndexSettings(8, 0), Counting(), WordVocabulary()),
        room=tmp_path_factory.getbasetemp(),
        progress=lambda *step: seen.append(step),
    )
    flat = [passage for of_one in encoded.passages for passage in of_one]
    assert calls == [64] * (len(flat) // 64) + ([len(flat) % 64] if len(flat) % 64 else [])
    characters = sum(len(one.text) for one in documents)
    assert seen[-1] == (characters, characters)
    assert seen == sorted(seen)
    texts, rows = encoded.batch.texts, encoded.batch.rows
    assert texts == [indexed_text(passage)[0] for passage in flat]
    assert {len(one) for one in rows.values()} == {len(flat)}
    alone = [HashEncoder().encode_passages([text])[0] for text in texts]
    for passage, row, ngrams, one in zip(flat, rows["tokens"], rows["ngrams"], alone, strict=True):
        offsets = row.offsets
        np.testing.assert_array_equal(row.vectors, one.vectors.astype(np.float16))
        np.testing.assert_array_equal(ngrams.offsets, offsets)
        text, shift = indexed_text(passage)
        for (start, end), (start_all, end_all) in zip(offsets, one.offsets, strict=True):
            if start_all < shift:
                assert (start, end) == (-1, -1)
            else:
                assert passage.text[start:end] == text[start_all:end_all]


def test_a_token_over_the_edge_of_the_context_has_no_place():
    offsets = np.array([[0, 5], [4, 7], [5, 6], [6, 9]], np.int32)
    assert own_offsets(offsets, 6).tolist() == [[-1, -1], [-1, -1], [-1, -1], [0, 3]]
    assert own_offsets(offsets, 0).tolist() == offsets.tolist()


def test_a_long_title_leaves_room_for_the_text():
    text, shift = indexed_text(Passage("d", 0, "Words.", 0, 6, title="t" * 2000))
    assert shift == 241
    assert text[shift:] == "Words."


@pytest.mark.parametrize("ngrams", [True, False])
def test_a_segment_is_written_once_and_holds_no_pickle(tmp_path, ngrams):
    draft = tmp_path / "segments" / "seg-1.tmp"
    draft.mkdir(parents=True)
    tools = IndexTools(IndexSettings(16, 2), MODELS["encoder"], MODELS["vocabulary"] if ngrams else None)
    documents = [Document("a", "An otter. " * 20, "T"), Document("b", "")]
    encoded = encode(documents, tools, room=tmp_path, progress=None)
    checksum = write_segment(draft, encoded, tools)
    assert publish(draft) == tmp_path / "segments" / "seg-1"
    segment = open_segment(tmp_path, "seg-1", checksum)
    assert set(segment.indexes) == {*INDEXES} - (set() if ngrams else {"ngrams"})
    texts, rows = encoded.batch.texts, encoded.batch.rows["tokens"]
    assert len(segment.passages) == len(texts) == segment.indexes["lexical"].terms.passages
    for number, (text, row) in enumerate(zip(texts, rows, strict=True)):
        assert segment.token_vectors.offsets(number).tolist() == row.offsets.tolist()
        assert len(segment.token_vectors.vectors(number)) == len(HashEncoder().tokenize([text])[0].ids)
    for file in (tmp_path / "segments" / "seg-1").rglob("*"):
        if file.is_file():
            assert not file.read_bytes().startswith(b"\x80"), file
