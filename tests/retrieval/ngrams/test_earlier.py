"""A collection whose n-grams an earlier version prepared: it is searched and added to as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.networks.language_model import LanguageModel
from retrieval import Collection, IndexSettings
from retrieval.errors import IndexMismatch
from retrieval.ngrams import LanguageVocabulary
from retrieval.ngrams.segment_ngrams import SegmentNgrams
from retrieval.types import Document
from tests.support.fakes import HashEncoder

SETTINGS = IndexSettings(passage_tokens=16, overlap_tokens=2)


def test_an_earlier_collection_stays_what_it_is(tmp_path: Path, tiny_lm: LanguageModel) -> None:
    earlier, now = LanguageVocabulary(tiny_lm, "single-spaced-1"), LanguageVocabulary(tiny_lm)
    old = Collection.create(tmp_path, encoder=HashEncoder(), vocabulary=earlier, settings=SETTINGS)
    old.add([Document("a", "Rollo swore ＡＢ fealty")])
    collection = Collection.open(tmp_path, encoder=HashEncoder(), vocabulary=now)
    collection.add([Document("b", "Rollo swore ＡＢ again")])
    with collection.snapshot() as snapshot:
        searched = snapshot.searched
        assert searched.vocabulary is not None
        assert searched.vocabulary.fingerprint == earlier.fingerprint
        indexes = searched.parts(SegmentNgrams).indexes
        texts = ["Rollo swore ＡＢ fealty", "Rollo swore ＡＢ again"]
        wanted = [one.ids.tolist() for one in earlier.tokenize(texts)]
        assert [one.index.tokens_of(0).ids.tolist() for one in indexes] == wanted


def test_another_tokenizers_collection_is_refused(tmp_path: Path, tiny_lm: LanguageModel) -> None:
    class Other(LanguageVocabulary):
        fingerprint = "other"  # type: ignore[assignment]

    Collection.create(tmp_path, encoder=HashEncoder(), vocabulary=Other(tiny_lm), settings=SETTINGS)
    with pytest.raises(IndexMismatch):
        Collection.open(tmp_path, encoder=HashEncoder(), vocabulary=LanguageVocabulary(tiny_lm))
