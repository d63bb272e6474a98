"""The same calls, over HTTP and in this process, sync and async, give the same results."""

import asyncio

import msgspec
import pytest
from excerpta import AsyncClient, Client, Conflict, InvalidRequest, NotFound
from excerpta.types import TokenMatrix

pytestmark = pytest.mark.model

DOCUMENTS = [
    {
        "id": "tides",
        "title": "Tides",
        "text": "Tides are caused by the gravity of the moon and the sun.",
        "metadata": {"year": 2020},
    },
    {
        "id": "a/b c",
        "title": "Paths",
        "text": "An id may hold slashes and spaces.",
        "metadata": {"year": 2024, "tags": ["x", "y"]},
    },
    {
        "id": "ünï",
        "text": "Volcanoes erupt when magma rises through the crust. 🌋",
        "metadata": {"year": 2024},
    },
]


@pytest.fixture(scope="module")
def local(tmp_path_factory, small_models, models_dir):
    data = tmp_path_factory.mktemp("local")
    (data / "models").symlink_to(models_dir / "models")
    with Client.local(data) as client:
        yield client


@pytest.fixture(params=["remote", "local"])
def any_client(request):
    return request.getfixturevalue("client" if request.param == "remote" else "local")


@pytest.fixture
def collection(any_client):
    any_client.collections.create("congruence")
    yield any_client.collections.get("congruence")
    any_client.collections.delete("congruence")


def test_documents_go_in_are_found_and_go_out(collection):
    added = collection.add(DOCUMENTS)
    assert (added.added, added.replaced) == (3, 0)
    assert collection.add(DOCUMENTS[:1]).replaced == 1
    assert collection.get("a/b c").metadata == {"year": 2024, "tags": ["x", "y"]}
    reply = collection.search("what causes the tides", explain=True)
    assert reply.hits[0].document_id == "tides"
    assert reply.answer is None
    hit = reply.hits[0]
    assert hit.text == collection.get("tides").text[slice(*hit.span)]
    assert hit.explain["tokens"]
    assert hit.explain["matrix"] is None
    explained = collection.search("what causes the tides", explain="matrix").hits[0].explain
    matrix = msgspec.convert(explained["matrix"], TokenMatrix)
    assert len(matrix.similarities) == len(matrix.query)
    assert {len(row) for row in matrix.similarities} == {len(matrix.passage)}
    text = collection.get("tides").text
    assert all(text[start:end] == token for token, start, end in matrix.passage)
    for token, _, similarity, start, end in hit.explain["tokens"]:
        row = matrix.similarities[matrix.query.index(token)]
        assert max(row) == pytest.approx(similarity, abs=1e-3)
        assert matrix.passage[row.index(max(row))][1:] == (start, end)
    assert [hit.document_id for hit in collection.search("erupt", filter={"year": {"$lt": 2024}}).hits] == [
        "tides"
    ]
    assert collection.delete("tides").deleted == 1
    assert collection.delete(["tides", "ünï"]).deleted == 1
    with pytest.raises(NotFound):
        collection.get("tides")
    assert {hit.document_id for hit in collection.search("tides erupt slashes").hits} == {"a/b c"}


def test_errors_are_the_same(any_client, collection):
    with pytest.raises(Conflict):
        any_client.collections.create("congruence")
    with pytest.raises(NotFound) as missing:
        any_client.collections.get("nowhere").search("x")
    assert missing.value.type == "unknown-collection"
    with pytest.raises(InvalidRequest):
        collection.search("x", limit=0)
    with pytest.raises(InvalidRequest) as unknown:
        collection.search("x", plan="fastest")
    assert "balanced" in str(unknown.value)


def test_a_stream_and_a_reply_agree(collection):
    collection.add(DOCUMENTS)
    question = "What causes the tides?"
    whole = collection.ask(question)
    with collection.stream(question) as stream:
        events = [type(event).__name__ for event in stream]
    assert events[0] == "HitsEvent"
    assert events[-1] == "DoneEvent"
    assert stream.text == whole.answer.text == stream.done.answer.text
    assert stream.citations == whole.answer.citations
    assert [hit.passage_id for hit in stream.hits.hits] == [hit.passage_id for hit in whole.hits]
    for citation in whole.answer.citations:
        document = collection.get(citation.document_id)
        assert document.text[citation.start : citation.end] == citation.quote
        assert f"[{citation.marker}]" in whole.answer.text


def test_nothing_relevant_is_said_not_invented(collection):
    collection.add(DOCUMENTS)
    reply = collection.ask("Who won the football world cup in 1990?")
    assert reply.answer.supported is False
    assert reply.answer.finish_reason == "no_support"
    assert reply.answer.citations == []


def test_a_job_reads_what_it_can_and_names_what_it_cannot(any_client, collection, tmp_path):
    (tmp_path / "good.txt").write_text("The archive is kept in the north wing.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 not really")
    state = collection.ingest(tmp_path).wait(timeout=120)
    assert state.done == 1
    assert [error.name for error in state.errors] == ["broken.pdf"]
    assert collection.search("where is the archive").hits[0].document_id == "good.txt"
    assert any(job.id == state.id for job in any_client.jobs.list())


def test_the_async_client_sees_the_same(server_url, client):
    client.collections.create("parity", exist_ok=True).add(DOCUMENTS)

    async def ask():
        async with AsyncClient(server_url) as asynchronous:
            return await asynchronous.collections.get("parity").search("magma")

    hits = asyncio.run(ask()).hits
    assert [hit.passage_id for hit in hits] == [
        hit.passage_id for hit in client.collections.get("parity").search("magma").hits
    ]
    client.collections.delete("parity")
