"""Cohere's rerank calls: by hand, and by Cohere's own client over a real server."""

from __future__ import annotations

import pytest

TEXTS = [
    "Bread is baked from flour and water.",
    "Tides are caused by the gravity of the moon.",
    "Volcanoes erupt when magma rises through the crust.",
]
QUERY = "what causes tides"


async def post(api, **changes):
    return await api("POST", "/v2/rerank", json={"query": QUERY, "documents": TEXTS} | changes)


async def test_the_reply_is_that_of_the_first_version(shared_api):
    body = (await post(shared_api, model="likelihood")).json()
    first = await shared_api(
        "POST", "/v1/rerank", json={"query": QUERY, "documents": TEXTS, "model": "likelihood"}
    )
    assert body["results"] == first.json()["results"]
    assert sorted(one["index"] for one in body["results"]) == [0, 1, 2]
    assert body["meta"] == {
        "api_version": {"version": "2"},
        "tokens": {"input_tokens": first.json()["usage"]["total_tokens"], "output_tokens": 0},
        "warnings": [],
    }
    assert body["model"] == "likelihood"
    assert body["id"].startswith("rrk_")


async def test_documents_are_texts_or_objects_and_come_back_where_asked(shared_api):
    plain = (await post(shared_api, return_documents=True)).json()
    mixed = (await post(shared_api, documents=[{"text": TEXTS[0]}, *TEXTS[1:]], return_documents=True)).json()
    assert plain["results"] == mixed["results"]
    assert [one["document"] for one in plain["results"]] == [
        {"text": TEXTS[one["index"]]} for one in plain["results"]
    ]
    assert all("document" not in one for one in (await post(shared_api)).json()["results"])


@pytest.mark.parametrize(("top_n", "count"), [(1, 1), (3, 3), (99, 3)])
async def test_only_the_first_are_given(shared_api, top_n, count):
    assert len((await post(shared_api, top_n=top_n)).json()["results"]) == count


async def test_tokens_of_a_document_are_limited_where_the_method_can(shared_api):
    long = [text * 20 for text in TEXTS]
    whole, cut = [
        (await post(shared_api, documents=long, model="likelihood", **limit)).json()["meta"]
        for limit in ({}, {"max_tokens_per_doc": 8})
    ]
    assert cut["tokens"]["input_tokens"] < whole["tokens"]["input_tokens"]
    assert cut["warnings"] == []
    meta = (await post(shared_api, model="first", max_tokens_per_doc=8)).json()["meta"]
    assert meta["warnings"] == ["`max_tokens_per_doc` has no effect on 'first'"]


async def test_documents_that_the_context_cuts_are_counted_in_a_warning(shared_api):
    long = ["moon gravity " * 120] * 60
    meta = (await post(shared_api, model="icr", documents=[*TEXTS, *long])).json()["meta"]
    assert meta["warnings"] == ["only the beginning of 60 documents was read"]
    assert (await post(shared_api, model="icr")).json()["meta"]["warnings"] == []


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"model": "rerank-v3.5"}, 422, "unknown-method", "likelihood"),
        ({"model": "cross-encoder"}, 422, "method-unavailable", "cross_encoder"),
        ({"model": "cached-likelihood"}, 422, "method-unavailable", "blocks"),
        ({"query": " "}, 422, "invalid-request", "query"),
        ({"documents": []}, 422, "invalid-request", "documents"),
        ({"top_n": 0}, 422, "invalid-request", "top_n"),
        ({"top_k": 3}, 422, "invalid-request", "top_k"),
    ],
)
async def test_errors_have_the_form_of_cohere(shared_api, changes, status, code, word):
    reply = await post(shared_api, **changes)
    assert reply.status_code == status
    body = reply.json()
    assert body.keys() == {"message", "code", "id"}
    assert body["code"] == code
    assert word in body["message"]


@pytest.mark.process
def test_the_client_of_cohere(serve):
    cohere = pytest.importorskip("cohere", reason="the package cohere is not installed: pip install cohere")
    _, url = serve()
    second = cohere.ClientV2(api_key="none", base_url=url)
    found = second.rerank(model="auto", query=QUERY, documents=TEXTS, top_n=2, max_tokens_per_doc=100)
    assert len(found.results) == 2
    assert found.results[0].relevance_score >= found.results[1].relevance_score
    assert found.meta.tokens.input_tokens > 0
    assert found.meta.api_version.version == "2"
    first = cohere.Client(api_key="none", base_url=url)
    same = first.rerank(
        model="auto", query=QUERY, documents=[{"text": text} for text in TEXTS], return_documents=True
    )
    assert [one.index for one in same.results][:2] == [one.index for one in found.results]
    assert same.results[0].document.text == TEXTS[same.results[0].index]
    with pytest.raises(cohere.UnprocessableEntityError, match="has no method"):
        second.rerank(model="rerank-v3.5", query=QUERY, documents=TEXTS)
