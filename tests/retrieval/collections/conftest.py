import pytest

from retrieval import Collection, IndexSettings
from tests.support.fakes import HashEncoder, WordVocabulary


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
