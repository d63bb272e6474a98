"""One exported collection: two segments, one of them with inverted lists, and a deletion."""

import hashlib
from pathlib import Path

import pytest

from retrieval import Collection, IndexSettings
from retrieval.archive import Header, Member, encode_document, pin, write_archive
from tests.support.crafting import documents
from tests.support.fakes import HashEncoder, WordVocabulary


@pytest.fixture(scope="session")
def sound(tmp_path_factory) -> Collection:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.tokens.index.FLAT_UP_TO", 300)
        collection = Collection.create(
            tmp_path_factory.mktemp("sound") / "c",
            encoder=HashEncoder(),
            vocabulary=WordVocabulary(),
            settings=IndexSettings(16, 2),
        )
        collection.add(documents(40))
        collection.add(documents(2, 40))
        collection.delete(["d3"])
    assert {one.name for one in collection.path.rglob("*.faiss")} == {"tokens.faiss", "trained.faiss"}
    return collection


@pytest.fixture(scope="session")
def archive(sound, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "c.tar"
    listed = b"".join(encode_document(one) for one in documents(42) if one.id != "d3")
    held = tmp_path_factory.mktemp("documents") / "documents.jsonl"
    held.write_bytes(listed)
    with pin(sound.path) as pinned, held.open("rb") as lines, path.open("wb") as out:
        first, *others = pinned.members
        own = Member("documents.jsonl", len(listed), hashlib.sha256(listed).hexdigest())
        header = Header(
            format=1,
            name="c",
            encoder=pinned.manifest.encoder,
            vocabulary=pinned.manifest.vocabulary,
            version_base=4,
            documents=41,
            settings={},
            members=(first, own, *others),
        )
        files = pinned.files | {"documents.jsonl": lines}
        write_archive(out, header, files.__getitem__, lambda _: None)
    return path
