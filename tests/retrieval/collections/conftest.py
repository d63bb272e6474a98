import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import HashEncoder, WordVocabulary

from retrieval import Collection, IndexSettings


@pytest.fixture
def make(tmp_path):
    def create(name="c", **settings):
        return Collection.create(
            tmp_path / name,
            encoder=HashEncoder(),
            vocabulary=WordVocabulary(),
            settings=IndexSettings(**({"passage_tokens": 16, "overlap_tokens": 2} | settings)),
        )

    return create


@pytest.fixture
def reopen():
    return lambda collection: Collection.open(
        collection.path, encoder=HashEncoder(), vocabulary=WordVocabulary()
    )
