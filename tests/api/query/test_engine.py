"""The query engine without a service: no HTTP, no jobs, the same replies."""

import pytest
from excerpta.types import CollectionSettings, SearchRequest

from api.access.caller import LOCAL, Caller
from api.errors import InvalidRequest
from api.query.engine import open_engine
from retrieval import Document

TEXTS = {"tides": "The moon pulls the sea into tides.", "bread": "Bread needs flour and water."}


@pytest.fixture
async def engine(settings):
    async with open_engine(settings) as opened:
        entry = await opened.library.create("c", CollectionSettings())
        collection = await opened.library.run(opened.library.open, entry)
        documents = [Document(name, text) for name, text in TEXTS.items()]
        await opened.library.run(collection.add, documents)
        yield opened


async def test_a_query_is_answered_without_a_service(engine):
    reply = await engine.ask(SearchRequest(collection="c", query="moon tides", plan="fast", explain=True))
    assert reply.hits[0].document_id == "tides"
    assert reply.answer is None
    assert reply.plan["base"] == "fast"
    answered = await engine.ask(SearchRequest(collection="c", query="moon tides"))
    assert answered.answer is not None


async def test_what_is_served_is_what_the_engine_says(engine, settings, open_api):
    request = {"collection": "c", "query": "moon tides", "plan": {"base": "fast", "rerank": {}}}
    reply = await engine.ask(SearchRequest(**request))
    async with open_api(settings) as api:
        served = (await api("POST", "/v1/query", json=request)).json()
    assert [(hit["passage_id"], hit["score"]) for hit in served["hits"]] == [
        (hit.passage_id, pytest.approx(hit.score)) for hit in reply.hits
    ]


async def test_faults_are_raised_before_anything_runs(engine):
    with pytest.raises(InvalidRequest):
        await engine.ask(SearchRequest(collection="c", query=" \n"))


async def test_a_reader_that_stops_gives_the_place_back(engine):
    running = await engine.start(SearchRequest(collection="c", query="moon tides"))
    events = running.events()
    await anext(events)
    assert engine.device.admitted == 1
    await events.aclose()
    assert engine.device.admitted == 0
    assert engine.writer.admitted_tokens == 0


def test_salts_separate_tenants_collections_and_modules():
    other = Caller(tenant="other")
    salts = [one.salt(name) for one in (LOCAL, other) for name in ("a", "b")]
    salts += [one.modules_salt for one in (LOCAL, other)]
    assert len(set(salts)) == len(salts)
