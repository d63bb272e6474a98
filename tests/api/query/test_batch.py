"""Several questions in one request: each has what it would have alone, or an error of its own."""

import pytest

DOCUMENTS = [
    {"id": "tides", "text": "Tides are caused by the gravity of the moon and the sun."},
    {"id": "travel", "text": "Travel above 2000 euros is approved by the head of finance."},
    {"id": "volcano", "text": "Volcanoes erupt when magma rises through the crust."},
]
QUESTIONS = ["What causes tides?", "Who approves travel?", "Why do volcanoes erupt?", "What causes tides?"]


@pytest.fixture
async def filled(shared_api):
    await shared_api.made()
    await shared_api.put(*DOCUMENTS)
    return shared_api


async def batch(api, queries, **members):
    return await api("POST", "/v1/search:batch", json={"collection": "c", "queries": queries, **members})


def shown(reply):
    return [
        (hit["passage_id"], pytest.approx(hit["score"], abs=1e-5), sorted(hit["scores"]))
        for hit in reply["hits"]
    ]


@pytest.mark.parametrize(
    "members", [{}, {"plan": "fast", "limit": 2}, {"plan": {"retrieve": {"tokens": None}}}, {"offset": 1}]
)
async def test_each_question_has_the_hits_that_it_has_alone(filled, members):
    alone = [
        (await filled("POST", "/v1/search", json={"collection": "c", "query": one, **members})).json()
        for one in QUESTIONS
    ]
    reply = await batch(filled, QUESTIONS, **members)
    assert reply.status_code == 200, reply.text
    results = reply.json()["results"]
    assert [one["error"] for one in results] == [None] * len(QUESTIONS)
    assert [shown(one["reply"]) for one in results] == [shown(one) for one in alone]
    assert all(one["reply"]["answer"] is None for one in results)


async def test_a_question_without_words_fails_alone(filled):
    results = (await batch(filled, ["What causes tides?", "  ", "Why do volcanoes erupt?"])).json()["results"]
    assert [one["reply"] is None for one in results] == [False, True, False]
    assert results[1]["error"]["type"] == "/problems/invalid-request"
    assert results[1]["error"]["status"] == 422


async def test_what_all_questions_share_fails_for_each(filled):
    results = (await batch(filled, QUESTIONS[:2], collection="none")).json()["results"]
    assert [one["error"]["status"] for one in results] == [404, 404]


@pytest.mark.parametrize("queries", [[], ["tides"] * 101])
async def test_there_are_between_one_and_a_hundred_questions(filled, queries):
    assert (await batch(filled, queries)).status_code == 422


async def test_questions_are_encoded_in_one_pass(filled, monkeypatch):
    encoder = filled.service.engine.networks.encoder
    calls = []
    encode = encoder.encode_queries
    monkeypatch.setattr(encoder, "encode_queries", lambda texts: calls.append(list(texts)) or encode(texts))
    new = ["Where is the crust?", "Who is the head of finance?", "Where is the crust?"]
    await batch(filled, new)
    assert calls == [new[:2]]
