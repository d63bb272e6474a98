"""Evaluations run the product's own query pipeline, on tiny networks here."""

import threading

import pytest
from excerpta.types import CollectionSettings, SearchRequest

from api.errors import InvalidPlan, UnknownPlan
from base.methods import InvalidOption
from evaluation.beir import load
from evaluation.errors import UnfinishedQuery
from evaluation.runs import run
from evaluation.searches import EngineSearches, engine_over, indexed, ranking_plan
from tests.support.beir_sets import tides

SETTINGS = CollectionSettings(ngrams=False)
LEXICAL = {"retrieve": {"tokens": None, "ngrams": None}, "rerank": None}


@pytest.fixture
async def engine(tmp_path, tiny_profile):
    async with engine_over(tmp_path / "home", profile=str(tiny_profile)) as engine:
        yield engine


async def test_a_set_is_indexed_once_and_searched_by_a_plan(engine, tmp_path):
    data = load(tides(tmp_path / "tides"))
    added = []
    name = await indexed(engine, [data], SETTINGS, progress=lambda done, total: added.append((done, total)))
    done_characters, all_characters = added[-1]
    assert done_characters == all_characters >= sum(len(one.text) for one in data.documents)
    done = await run(data, EngineSearches(engine, name, LEXICAL))
    assert done.scores(["hits@1"]) == {"hits@1": 1.0}
    assert "retrieve" in done.stage_ms()

    added.clear()
    assert await indexed(engine, [data], SETTINGS, progress=lambda *step: added.append(step)) == name
    assert added == []


async def test_documents_that_an_interrupted_run_left_out_are_added(engine, tmp_path):
    whole = load(tides(tmp_path / "tides"))
    part = type(whole)(whole.name, whole.documents[:1], {}, {})
    await indexed(engine, [part], SETTINGS)
    name = await indexed(engine, [whole], SETTINGS)
    collection = engine.library.open(await engine.library.get(name))
    assert collection.contains(one.id for one in whole.documents) == {one.id for one in whole.documents}


async def test_rankings_are_those_of_the_engine(engine, tmp_path):
    data = load(tides(tmp_path / "tides"))
    name = await indexed(engine, [data], SETTINGS)
    question = data.queries["q2"]
    plan = {"rerank": {"limit": 3}}
    ranked = await EngineSearches(engine, name, plan).search(question)
    reply = await engine.ask(SearchRequest(collection=name, query=question, plan=ranking_plan(plan)))
    assert ranked.documents == [hit.document_id for hit in reply.hits]
    assert all("rerank" in hit.scores for hit in reply.hits)
    assert reply.answer is None
    assert "rerank" in ranked.timings_ms


async def test_a_query_that_runs_out_of_time_fails(tmp_path, tiny_profile):
    data = load(tides(tmp_path / "tides"))
    home = tmp_path / "home"
    async with engine_over(home, profile=str(tiny_profile), timeout_s=0.1) as engine:
        name = await indexed(engine, [data], SETTINGS)
        engine.library.open(await engine.library.get(name))
        busy = threading.Event()
        engine.device.submit(busy.wait, 60)
        with pytest.raises(UnfinishedQuery, match="--query-timeout"):
            await EngineSearches(engine, name).search("what erupt magma")
        busy.set()


async def test_faults_of_a_plan_are_told(engine, tmp_path):
    name = await indexed(engine, [load(tides(tmp_path / "tides"))], SETTINGS)
    with pytest.raises(UnknownPlan):
        await EngineSearches(engine, name, "fastest").search("magma")
    with pytest.raises(InvalidOption):
        await EngineSearches(engine, name, {"retrieve": {"tokens": {"limit": "many"}}}).search("magma")
    with pytest.raises(InvalidPlan):
        await EngineSearches(engine, name, {"retrieve": {"tokens": 3}}).search("magma")


def test_nothing_after_the_ranking_is_run():
    plan = ranking_plan("best")
    assert (plan.base, plan.compress, plan.answer) == ("best", None, None)


async def test_converted_models_are_shared(tmp_path, tiny_profile):
    (tmp_path / "other" / "models").mkdir(parents=True)
    async with engine_over(tmp_path / "home", profile=str(tiny_profile), models=tmp_path / "other"):
        assert (tmp_path / "home" / "models").resolve() == tmp_path / "other" / "models"
