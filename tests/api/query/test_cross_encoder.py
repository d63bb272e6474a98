"""Queries that a cross-encoder of the profile reranks, on a tiny checkpoint."""

from dataclasses import replace

import pytest
from excerpta.types import CollectionSettings, SearchRequest

from api.query.engine import open_engine
from retrieval import Document
from tests.support.tiny.checkpoints import save_cross_encoder

pytestmark = pytest.mark.long  # sentence-transformers takes a second to import

WINDOW = 64
QUESTION = "moon or magma"
TEXTS = {
    "moon": "Tides are caused by the gravity of the moon and sun.",
    "money": "Travel above euros is approved by the head of finance.",
    "magma": "Volcanoes erupt when magma rises through the crust. " * 9,
}
PLAN = {"base": "fast", "rerank": {"method": "cross-encoder"}}


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def profile(request, tiny_profile, tmp_path_factory):
    """The profile `tiny` with a cross-encoder added."""
    file = tmp_path_factory.mktemp("pairs") / "pairs.toml"
    save_cross_encoder(file.parent / "weights", request.param)
    networks = tiny_profile.read_text().replace('path = "', f'path = "{tiny_profile.parent}/')
    file.write_text(
        f"{networks}\n[cross_encoder]\nname = 'tiny-pairs'\npath = 'weights'\ndtype = 'float32'\n"
    )
    return file


@pytest.fixture
async def engine(settings, profile):
    async with open_engine(replace(settings, profile=str(profile))) as opened:
        entry = await opened.library.create("c", CollectionSettings())
        collection = await opened.library.run(opened.library.open, entry)
        documents = [Document(name, text) for name, text in TEXTS.items()]
        await opened.library.run(collection.add, documents)
        yield opened


async def test_hits_have_the_order_and_the_scores_of_the_network(engine):
    reply = await engine.ask(SearchRequest(collection="c", query=QUESTION, plan=PLAN, explain=True))
    assert {hit.document_id for hit in reply.hits} == set(TEXTS)
    network = engine.models.cross_encoder
    expected, _ = network.scores(
        QUESTION, [TEXTS[hit.document_id].strip() for hit in reply.hits], batch=1, max_tokens=512
    )
    scores = [hit.scores["rerank"] for hit in reply.hits]
    assert scores == pytest.approx(expected.tolist(), abs=1e-5)
    assert scores == sorted(scores, reverse=True)
    assert "rerank" in reply.timings_ms
    assert reply.warnings == []


async def test_loose_texts_are_ranked_and_what_was_read_is_counted(settings, profile, open_api):
    async with open_api(replace(settings, profile=str(profile))) as api:
        body = {"query": QUESTION, "documents": list(TEXTS.values()), "model": "cross-encoder"}
        reply = (await api("POST", "/v1/rerank", json=body | {"options": {"batch": 2}})).json()
        network = api.service.networks.models.cross_encoder
        alone = (await api("POST", "/v1/rerank", json=body | {"documents": [TEXTS["magma"]]})).json()
        short = (await api("POST", "/v1/rerank", json=body | {"options": {"max_tokens": 16}})).json()
    expected, tokens = network.scores(QUESTION, list(TEXTS.values()), batch=1, max_tokens=512)
    found = {one["index"]: one["relevance_score"] for one in reply["results"]}
    assert [found[at] for at in range(3)] == pytest.approx(expected.tolist(), abs=1e-5)
    assert reply["usage"] == {"total_tokens": tokens, "forward_passes": 2}
    assert alone["results"][0]["relevance_score"] == pytest.approx(found[2], abs=1e-5)
    assert alone["usage"]["total_tokens"] == WINDOW, "the text is longer than what the network reads"
    assert short["usage"] == {"total_tokens": 3 * 16, "forward_passes": 1}
