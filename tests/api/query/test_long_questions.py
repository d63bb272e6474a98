"""A question of any length is read, by every method, with a warning where only a part of it is."""

from __future__ import annotations

import pytest

from rerank import CATALOGUE as RERANKERS
from retrieval.catalogue import RETRIEVERS

pytestmark = pytest.mark.long

TEXT = "Travel above 2000 euros is approved by the head of finance. Dogs stay at home."
TALK = "We walked along the river on a long day and talked about the weather. " * 120
ASKED = "Who approves travel above 2000 euros?"
SEARCH = {"rerank": None, "compress": None, "answer": None}


@pytest.fixture
async def api(shared_api):
    await shared_api.made("c", ngrams=True)
    await shared_api.put({"id": "travel", "text": TEXT}, {"id": "tides", "text": "The moon causes tides."})
    return shared_api


async def asked(api, path="/v1/query", **members):
    reply = await api("POST", path, json={"collection": "c", "query": f"{TALK}{ASKED}", **members})
    assert reply.status_code == 200, reply.text
    return reply


@pytest.mark.parametrize("path", ["/v1/query", "/v1/search"])
async def test_every_entry_says_what_was_read(api, path):
    reply = (await asked(api, path, plan=SEARCH)).json()
    (warning,) = [one for one in reply["warnings"] if "read in part" in one]
    assert "at most" in warning
    assert reply["query"].endswith(ASKED)
    assert len(reply["query"]) < len(TALK)
    assert reply["hits"]
    assert not reply["partial"]


async def test_a_stream_says_it_too(api):
    reply = await asked(api, plan=SEARCH, stream=True)
    assert "read in part" in reply.text.split("event: done")[1]


@pytest.mark.parametrize("name", sorted(RETRIEVERS))
async def test_every_retriever_reads_it(api, name):
    only = {one: {} if one == name else None for one in RETRIEVERS}
    reply = (await asked(api, plan=SEARCH | {"retrieve": only})).json()
    assert any("read in part" in one for one in reply["warnings"])


@pytest.mark.parametrize(
    "name", sorted(name for name, one in RERANKERS.items() if one.needs <= {"lm", "blocks"})
)
async def test_every_reranker_reads_it(api, name):
    reply = (await asked(api, plan=SEARCH | {"rerank": {"method": name}})).json()
    assert all("rerank" in hit["scores"] for hit in reply["hits"])


async def test_a_short_question_has_no_warning(api):
    reply = (await api("POST", "/v1/query", json={"collection": "c", "query": ASKED, "plan": SEARCH})).json()
    assert (reply["warnings"], reply["query"]) == ([], ASKED)
