"""Queries over tiny networks: every stage runs, every offset holds, every option matters."""

import threading

import msgspec
import pytest
from excerpta.types import DoneEvent, HitsEvent

from api.query import plan as plans
from retrieval.catalogue import RETRIEVERS

DOCUMENTS = [
    {
        "id": "tides",
        "title": "Tides",
        "text": "Tides are caused by the gravity of the moon and the sun. 🌊 They come twice a day.",
        "metadata": {"year": 2020, "team": "sea"},
    },
    {
        "id": "travel/eu",
        "title": "Travel policy",
        "text": "# Approval\r\n\r\nTravel above 2000 euros is approved by the head of finance.\r\n\r\n# Hotels\r\n\r\nA hotel costs 150 euros.",
        "metadata": {"year": 2024},
    },
    {
        "id": "volcano",
        "text": "Volcanoes erupt when magma rises through the crust.",
        "metadata": {"year": 2024},
    },
]
ALL_ON = {
    "retrieve": {"ngrams": {"beams": 2, "length": 3}},
    "rerank": {},
    "answer": {"max_tokens": 8},
}


@pytest.fixture
def api(shared_api):
    return shared_api


@pytest.fixture
async def filled(api):
    await api.made()
    await api.put(*DOCUMENTS)
    return api


async def ask(api, query="Who approves travel above 2000 euros?", path="/v1/query", **members):
    reply = await api("POST", path, json={"collection": "c", "query": query, **members})
    assert reply.status_code == 200, reply.text
    return reply.json()


def ids(reply):
    return [hit["document_id"] for hit in reply["hits"]]


async def test_a_whole_query(filled):
    reply = await filled(
        "POST",
        "/v1/query",
        json={"collection": "c", "query": "travel euros approved", "explain": True, "plan": ALL_ON},
    )
    body = reply.json()
    assert body["index_version"] == {"c": 1}
    assert body["profile"] == "tiny"
    assert not body["partial"]
    texts = {one["id"]: one["text"] for one in DOCUMENTS}
    for rank, hit in enumerate(body["hits"]):
        text = texts[hit["document_id"]]
        start, end = hit["span"]
        assert text[start:end] == hit["text"]
        explain = hit["explain"]
        assert explain.keys() == {*RETRIEVERS, "rank", "kept", "matrix"}
        assert explain["rank"]["rerank"] == rank
        for _, token, similarity, begins, stops in explain["tokens"]:
            assert text[begins:stops] == token
            assert -1.001 <= similarity <= 1.001
        for _, weight, begins, stops in explain["ngrams"]:
            assert start <= begins <= stops <= end
            assert weight > 0
        for begins, stops in explain["kept"] or []:
            assert start <= begins < stops <= end
    assert body["hits"][0]["scores"]["rerank"] == body["hits"][0]["score"]
    scores = [hit["score"] for hit in body["hits"]]
    assert scores == sorted(scores, reverse=True)
    stages = {"queue", "encode", "retrieve", "ngrams", "fuse", "rerank", "compress", "support", "total"}
    assert stages <= set(body["timings_ms"])
    assert {part.split(";")[0] for part in reply.headers["server-timing"].split(", ")} == set(
        body["timings_ms"]
    )
    assert body["usage"]["query_tokens"] > 0
    assert body["plan"]["retrieve"]["ngrams"]["beams"] == 2


async def test_a_stream_says_what_a_reply_says(filled):
    question = {
        "collection": "c",
        "query": "Travel above 2000 euros is approved by the head of finance.",
        "plan": ALL_ON,
    }
    whole = (await filled("POST", "/v1/query", json=question)).json()
    assert whole["answer"]["finish_reason"] in ("stop", "length")
    reply = await filled("POST", "/v1/query", json={**question, "stream": True})
    events = [
        (name.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: ")))
        for name, data in (block.split("\n") for block in reply.text.strip().split("\n\n") if block[0] == "e")
    ]
    names = [name for name, _ in events]
    assert names[0] == "hits"
    assert names[-2:] == ["usage", "done"]
    done = msgspec.convert(events[-1][1], DoneEvent)
    assert msgspec.convert(events[0][1], HitsEvent).id.startswith("qry_")
    assert "".join(data["text"] for name, data in events if name == "delta") == done.answer.text
    assert done.answer.text == whole["answer"]["text"], "greedy decoding has one answer"
    assert [data for name, data in events if name == "citation"] == whole["answer"]["citations"]
    assert ids(whole) == [hit["document_id"] for hit in events[0][1]["hits"]]
    assert done.usage.generated_tokens == whole["usage"]["generated_tokens"]
    assert done.usage.cached_tokens == done.usage.context_tokens > 0, "the first query's blocks were kept"


@pytest.mark.parametrize("preset", sorted(plans.PRESETS))
async def test_no_preset_encodes_a_passage_twice(filled, preset):
    question = "Travel above 2000 euros is approved by the head of finance."
    first = await ask(filled, question, plan=preset)
    assert first["usage"]["encoded_passages"] <= len(first["hits"])
    assert (first["usage"]["encoded_passages"] > 0) == (first["answer"] is not None)
    again = await ask(filled, question, plan=preset)
    assert again["usage"]["encoded_passages"] == 0
    assert again["usage"]["cached_tokens"] == first["usage"]["context_tokens"]


async def test_a_method_that_reads_anew_says_so(filled):
    question = "Travel above 2000 euros is approved by the head of finance."
    plan = {"rerank": {"method": "likelihood"}, "context": {"passages": 2}}
    reply = await ask(filled, question, plan=plan)
    assert reply["usage"]["encoded_passages"] == len(reply["hits"]) + 2


async def test_no_support_says_so(filled):
    reply = await ask(filled, "Quarterly xylophone zebra jackpot?")
    assert reply["answer"]["supported"] is False
    assert reply["answer"]["finish_reason"] == "no_support"
    assert reply["answer"]["citations"] == []
    assert "not answer" in reply["answer"]["text"]
    assert reply["usage"]["generated_tokens"] == 0


async def test_stages_are_switched_and_set(filled):
    fast = await ask(filled, plan="fast")
    assert fast["answer"] is None
    assert not any("rerank" in hit["scores"] for hit in fast["hits"])
    assert fast["hits"][0]["score"] == fast["hits"][0]["scores"]["fused"]
    lexical = await ask(filled, plan={"base": "fast", "retrieve": {"tokens": None}})
    assert {name for hit in lexical["hits"] for name in hit["scores"]} == {"lexical", "fused"}
    assert ids(lexical) == ["travel/eu", "travel/eu"]
    assert len((await ask(filled, plan="fast", limit=1))["hits"]) == 1
    two = await ask(filled, plan={"base": "fast", "retrieve": {"lexical": None, "tokens": {"limit": 2}}})
    assert len(two["hits"]) == 2
    reranked = await ask(filled, plan={"base": "fast", "rerank": {"limit": 1}})
    assert ["rerank" in hit["scores"] for hit in reranked["hits"]] == [
        True,
        *[False] * (len(reranked["hits"]) - 1),
    ]
    short = await ask(filled, plan={"answer": {"max_tokens": 3}, "rerank": None})
    assert short["usage"]["generated_tokens"] <= 3
    squeezed = await ask(
        filled, plan={"compress": {"target_tokens": 16}, "answer": {"max_tokens": 1}}, explain=True
    )
    assert 0 < squeezed["usage"]["compressed_tokens"] <= 16
    assert any(hit["explain"]["kept"] != [hit["span"]] for hit in squeezed["hits"])
    sampled = {"answer": {"max_tokens": 8, "temperature": 1.5, "seed": 1}}
    assert (await ask(filled, plan=sampled))["answer"] == (await ask(filled, plan=sampled))["answer"]


async def test_search_finds_and_writes_nothing(filled):
    reply = await ask(filled, path="/v1/search", plan="best")
    assert reply["answer"] is None
    assert "rerank" not in reply["timings_ms"]
    assert reply["hits"]


async def test_filters_hold_inside_retrieval(filled):
    for condition, expected in [
        ({"year": 2024}, {"travel/eu", "volcano"}),
        ({"year": {"$lt": 2024}}, {"tides"}),
        ({"team": {"$exists": True}}, {"tides"}),
        ({"$not": {"team": "sea"}}, {"travel/eu", "volcano"}),
        ({"year": 1999}, set()),
    ]:
        reply = await ask(filled, "moon euros magma", plan="fast", filter=condition)
        assert set(ids(reply)) == expected
    nothing = await ask(filled, "moon", filter={"year": 1999})
    assert nothing["answer"]["finish_reason"] == "no_support"


async def test_several_collections_are_ranked_together(filled):
    await filled.made("other")
    await filled.put({"id": "moon", "text": "The moon is far."}, collection="other")
    reply = await ask(filled, "moon", collection=["c", "other", "c"], plan="fast")
    assert {(hit["collection"], hit["document_id"]) for hit in reply["hits"]} >= {
        ("c", "tides"),
        ("other", "moon"),
    }
    assert reply["index_version"] == {"c": 1, "other": 1}
    fused = [hit["scores"]["fused"] for hit in reply["hits"]]
    assert fused == sorted(fused, reverse=True)


async def test_ties_go_by_passage_and_then_by_collection(api):
    for collection, documents in {"b": ["zebra", "ant"], "a": ["ant", "moth"]}.items():
        await api.made(collection)
        await api.put(*({"id": one, "text": "The same words."} for one in documents), collection=collection)
    plan = {"base": "fast", "retrieve": {"tokens": None}}  # equal vectors may differ in the last bit
    reply = await ask(api, "same words", collection=["b", "a"], plan=plan)
    assert len({hit["score"] for hit in reply["hits"]}) == 1
    places = [(hit["document_id"], hit["collection"]) for hit in reply["hits"]]
    assert places == [("ant", "a"), ("ant", "b"), ("moth", "a"), ("zebra", "b")]


async def test_a_collections_best_counts_for_no_more_than_it_is(filled):
    """By minimum and maximum the best of every collection would be worth the same, whatever it says."""
    await filled.made("other")
    await filled.put(
        {"id": "bread", "text": "Bread needs flour and water."},
        {"id": "moon", "text": "Some moon."},
        collection="other",
    )
    question = "Are tides caused by the gravity of the moon?"

    async def best(**plan):
        words = {"base": "fast", "retrieve": {"tokens": None}, **plan}
        reply = await ask(filled, question, collection=["other", "c"], plan=words)
        scores = {}
        for hit in reply["hits"]:
            scores.setdefault((hit["collection"], hit["document_id"]), hit["scores"]["fused"])
        return scores

    even = await best(fuse={"method": "weighted"})
    assert even["other", "moon"] == even["c", "tides"]
    fair = await best()
    assert next(iter(fair)) == ("c", "tides")
    assert fair["other", "moon"] < fair["c", "tides"] / 2
    both = await ask(filled, question, collection=["other", "c"], plan="fast")
    assert all(hit["scores"]["tokens"] is not None for hit in both["hits"])


async def test_an_empty_collection_answers_too(api):
    await api.made()
    reply = await ask(api)
    assert reply["hits"] == []
    assert reply["answer"]["finish_reason"] == "no_support"
    assert (await ask(api, plan="best"))["hits"] == []


async def test_a_collection_without_ngrams_says_so(api):
    await api.made(ngrams=False)
    await api.put(*DOCUMENTS)
    reply = await ask(api, plan={"base": "fast", "retrieve": {"ngrams": {}}})
    assert "without ngrams" in reply["warnings"][0]
    assert not reply["partial"]
    assert reply["hits"]


async def test_a_collections_own_plan_is_its_default(api):
    await api.made(plan={"base": "fast", "fuse": {"method": "rrf", "k": 7}})
    await api.put(*DOCUMENTS)
    reply = await ask(api, explain=True)
    assert reply["answer"] is None
    assert reply["plan"]["fuse"]["k"] == 7
    assert (await ask(api, plan="balanced"))["answer"] is not None
    stored = (await api("GET", "/v1/collections/c")).json()["settings"]
    assert stored["plan"] == {"base": "fast", "fuse": {"method": "rrf", "k": 7}}
    assert stored["passage_tokens"] == 200


@pytest.mark.long
async def test_what_time_did_not_allow_is_named(filled):
    """The device is held: words still find something, and the reply says what is missing."""
    let_go = threading.Event()
    held = filled.service.device.submit(let_go.wait, 60)
    reply = await ask(filled, timeout_ms=150)
    assert not held.done()
    assert reply["partial"]
    assert any("encoding" in warning for warning in reply["warnings"])
    assert reply["answer"]["finish_reason"] == "timeout"
    let_go.set()
    slow = {"answer": {"max_tokens": 2048}}
    question = "Travel above 2000 euros is approved by the head of finance."
    reply = await ask(filled, question, timeout_ms=1500, plan=slow)
    assert reply["answer"]["finish_reason"] in ("timeout", "stop")
    assert reply["hits"]


async def test_documents_come_back_as_they_went_in(api):
    await api.made()
    odd = [
        {"id": "a/b c", "text": "slashes"},
        {"id": "/a//b/", "text": "more slashes"},
        {"id": "ünï 🌊 %2F ?#", "text": "signs"},
        {"id": "x" * 512, "text": "long"},
        {"id": "crlf", "text": "one\r\ntwo\ttabs  "},
        {
            "id": "meta",
            "text": "t",
            "metadata": {"s": "ü", "i": -3, "f": 0.5, "b": True, "n": None, "l": ["a", 1]},
        },
    ]
    added = await api.put(*odd)
    assert (added["added"], added["replaced"], added["version"]) == (6, 0, 1)
    from urllib.parse import quote

    for one in odd:
        address = f"/v1/collections/c/documents/{quote(one['id'], safe='')}"
        got = (await api("GET", address)).json()
        assert (got["id"], got["text"]) == (one["id"], one["text"])
        assert got["metadata"] == one.get("metadata", {})
        assert (await api("DELETE", address)).json()["deleted"] == 1
        assert (await api("DELETE", address)).json()["deleted"] == 0
        assert (await api("GET", address)).status_code == 404
    assert (await api("GET", "/v1/collections/c")).json()["documents"] == 0
    again = await api.put(odd[0])
    assert again["added"] == 1
    assert (await api.put({"id": "a/b c", "text": "new"}))["replaced"] == 1
    many = await api("POST", "/v1/collections/c/documents:delete", json={"ids": ["a/b c", "none", "a/b c"]})
    assert many.json()["deleted"] == 1


async def test_single_stages_over_http(api):
    texts = ["the moon", "finance and travel", {"text": "magma 🌋"}]
    for method in ("likelihood", "first"):
        reply = await api(
            "POST",
            "/v1/rerank",
            json={
                "query": "travel",
                "documents": texts,
                "model": method,
                "top_n": 2,
                "return_documents": True,
            },
        )
        body = reply.json()
        assert body["model"] == method
        assert len(body["results"]) == 2
        scores = [one["relevance_score"] for one in body["results"]]
        assert scores == sorted(scores, reverse=True)
        for one in body["results"]:
            text = texts[one["index"]]
            assert one["document"] == {"text": text if isinstance(text, str) else text["text"]}
    source = "Travel is approved by finance. The moon is far away. " * 10
    body = (
        await api("POST", "/v1/compress", json={"query": "moon", "texts": [source], "target_tokens": 40})
    ).json()
    (short,) = body["texts"]
    assert short["tokens_after"] <= 40 < short["tokens_before"]
    assert all(source[start:end] for start, end in short["kept"])


async def test_metrics_count_routes_and_stages_and_hold_no_words(settings, open_api):
    async with open_api(settings) as filled:
        await filled.made()
        await filled.put(*DOCUMENTS)
        await ask(filled, plan=ALL_ON)
        page = (await filled("GET", "/metrics")).text
        assert 'excerpta_queries_total{outcome="done"} 1.0' in page
        assert 'excerpta_stage_seconds_count{stage="rerank"} 1.0' in page
        assert 'route="/v1/query",status="200"' in page
        assert "excerpta_device_waiting 0.0" in page
        assert "euros" not in page
        assert "travel" not in page


async def test_compression_that_is_left_to_its_cost_says_why(filled):
    plan = {"rerank": None, "compress": "auto", "answer": {"max_tokens": 1}}
    within = await ask(filled, plan=plan)
    assert "within the 800 asked for" in within["notes"]["compress"]
    assert within["usage"]["compressed_tokens"] == 0
    assert within["notes"] == {"compress": within["notes"]["compress"]}
    plan["compress"] = {"when": "auto", "target_tokens": 16}
    replies = [await ask(filled, plan=plan) for _ in range(2)]
    assert "takes" in replies[1]["notes"]["compress"], "after the first query both rates are known"
    assert (await ask(filled, plan={**plan, "compress": {"target_tokens": 16}}))["notes"] == {}


async def test_the_similarities_of_the_search_decide_what_is_kept(filled):
    async def kept(**options):
        plan = {"rerank": None, "compress": {"target_tokens": 24, **options}, "answer": {"max_tokens": 1}}
        reply = await ask(filled, plan=plan, explain=True)
        return [hit["explain"]["kept"] for hit in reply["hits"]]

    assert await kept() != await kept(text_weight=0, sentence_weight=0)
    tokens_off = {"base": "fast", "retrieve": {"tokens": None}, "compress": {"target_tokens": 24}}
    reply = await ask(filled, plan={**tokens_off, "answer": {"max_tokens": 1}})
    assert reply["usage"]["compressed_tokens"] > 0
    assert reply["timings_ms"]["encode"] > 0, "the question is encoded for compression and evidence"
