"""The list of hits: pages, least scores, groups, facets and highlights, each asked for over HTTP."""

import pytest

from api.query import plan as plans
from api.query.candidates import Candidate
from api.query.listing import Listing
from api.query.stages import Stages
from api.telemetry.trace import Trace
from base.text.terms import terms_of

WORDS = {"base": "fast", "retrieve": {"tokens": None}}
"""Only words count: what is found, and in which order, is plain to see."""

DOCUMENTS = [
    {"id": "a", "title": "A", "text": "Otters eat fish.", "metadata": {"team": "sea", "year": 2024}},
    {"id": "b", "title": "B", "text": "Otters \n eat  fish.", "metadata": {"team": "sea", "year": 2025}},
    {
        "id": "c",
        "title": "C",
        "text": "Otters eat fish.",
        "metadata": {"team": "land", "tags": ["x", "y", "x"]},
    },
    {"id": "d", "text": "Some otters eat crabs and other fish too.", "metadata": {"team": None}},
    {"id": "e", "text": "Otters sleep. They hold hands when they do.", "metadata": {"year": 2025}},
    {"id": "f", "text": "Volcanoes erupt.", "metadata": {"team": "land", "year": 2024.5}},
]


LONG = "Intro. \r\nThe otter’s diet: ﬁsh, crabs; 東京都 no.\n\n" * 40


@pytest.fixture(scope="module")
async def api(module_api):
    """An application with the collections of these tests, which change none of them."""
    await module_api.made()
    await module_api.put(*DOCUMENTS)
    await module_api.made("other")
    other = {"id": "a", "text": "Otters eat fish.", "metadata": {"team": "air", "only": True}}
    await module_api.put(other, {"id": "long", "text": LONG}, collection="other")
    return module_api


async def search(api, query="otters eat fish", path="/v1/search", **members):
    members = {"collection": "c", "plan": WORDS} | members
    reply = await api("POST", path, json={"query": query, **members})
    assert reply.status_code == 200, reply.text
    return reply.json()


def ids(reply):
    return [hit["document_id"] for hit in reply["hits"]]


def groups(reply):
    """Each hit's document, and those grouped with it."""
    return [
        (
            hit["document_id"],
            [one["document_id"] for one in hit["group"]["passages"]] if hit["group"] else [],
        )
        for hit in reply["hits"]
    ]


@pytest.mark.parametrize("fuse", ["scores", "rrf", "weighted"])
async def test_pages_are_one_list(api, fuse):
    plan = {"base": "fast", "fuse": {"method": fuse}, "rerank": {"limit": 2}}
    whole = await search(api, plan=plan)
    pages = [await search(api, plan=plan, offset=at, limit=2) for at in range(0, 8, 2)]
    assert [hit for page in pages for hit in page["hits"]] == whole["hits"]
    assert len(whole["hits"]) == 6
    assert pages[-1]["hits"] == []


async def test_a_page_past_the_bound_is_refused_and_so_is_an_answer_past_its_passages(api, problem):
    asked = {"collection": "c", "query": "otters"}
    reply = await api("POST", "/v1/search", json={**asked, "offset": 991})
    assert "at most 1000" in problem(reply, 422, "invalid-request")["detail"]
    assert (await search(api, offset=990))["hits"] == []
    reply = await api("POST", "/v1/query", json={**asked, "offset": 1})
    assert "/v1/search" in problem(reply, 422, "invalid-request")["detail"]
    paged = await search(
        api, path="/v1/query", plan={"base": "balanced", "answer": None}, offset=1, explain=True
    )
    assert paged["hits"]
    assert all(hit["explain"]["kept"] is None for hit in paged["hits"]), (
        "the first passages would be compressed"
    )


async def test_hits_below_the_least_score_are_left_out(api):
    whole = (await search(api))["hits"]
    for hit in whole:
        kept = await search(api, min_score=hit["score"])
        assert kept["hits"] == [one for one in whole if one["score"] >= hit["score"]]
    assert (await search(api, min_score=whole[0]["score"] + 1))["hits"] == []
    # Page by page as well.
    least = whole[3]["score"]
    assert (await search(api, min_score=least, offset=2))["hits"] == [
        one for one in whole if one["score"] >= least
    ][2:]


async def test_the_least_score_is_on_the_rerankers_scale_where_there_is_one(api):
    plan = {"base": "fast", "rerank": {"limit": 3}}
    whole = (await search(api, plan=plan))["hits"]
    assert [("rerank" in hit["scores"]) for hit in whole] == [True] * 3 + [False] * (len(whole) - 3)
    # Log-probabilities are below 0, fused scores above: those are no likelihoods, however high.
    assert (await search(api, plan=plan, min_score=-1e6))["hits"] == whole[:3]
    assert (await search(api, plan=plan, min_score=whole[1]["score"]))["hits"] == whole[:2]


def test_a_least_score_is_not_compared_with_another_stages():
    """Where reranking ran out of time."""
    trace = Trace(timeout_s=1.0)
    stages = Stages(networks=None, writer=None, library=None, threads=None, trace=trace)
    candidates = [Candidate(found=None, number=0, scores={"fused": 0.5})]
    kept = stages.above(candidates, Listing(limit=1, min_score=0.9), plans.resolve({"rerank": {}}))
    assert kept == candidates
    assert "min_score" in trace.warnings[0]
    assert stages.above(candidates, Listing(limit=1, min_score=0.9), plans.resolve("fast")) == []


async def test_an_answer_reads_no_hit_below_the_least_score(api):
    reply = await search(api, path="/v1/query", plan="balanced", min_score=1e6)
    assert reply["hits"] == []
    assert reply["answer"]["finish_reason"] == "no_support"


async def test_copies_of_a_text_are_one_hit(api):
    assert sorted(ids(await search(api))[:3]) == ["a", "b", "c"]
    reply = await search(api, group_by="text", limit=2)
    assert groups(reply) == [("a", ["b", "c"]), ("d", [])]
    hit = reply["hits"][0]
    assert hit["group"]["others"] == 2
    assert hit["group"]["by"] == "text"
    assert hit["group"]["passages"][0] == {
        "passage_id": "b:0",
        "document_id": "b",
        "collection": "c",
        "title": "B",
        "span": [0, 19],
        "score": hit["group"]["passages"][0]["score"],
        "places": [],
    }
    assert [one["score"] <= hit["score"] for one in hit["group"]["passages"]] == [True, True]
    assert groups(await search(api, group_by="text", limit=2, offset=1)) == [("d", []), ("e", [])]
    few = {**WORDS, "group": {"by": "text", "passages": 1}}
    (first, *_) = (await search(api, plan=few))["hits"]
    assert (first["group"]["others"], len(first["group"]["passages"])) == (2, 1)


async def test_balanced_and_best_group_texts_and_an_answer_reads_each_once(api):
    assert [plans.resolve(preset).group is not None for preset in ("fast", "balanced", "best")] == [
        False,
        True,
        True,
    ]
    reply = await search(api, path="/v1/query", plan=None)
    assert len(reply["hits"]) == 4
    assert sum(hit["group"]["others"] for hit in reply["hits"] if hit["group"]) == 2
    alone = await search(api, path="/v1/query", plan="balanced", group_by=None)
    assert len(alone["hits"]) == 6
    assert all(hit["group"] is None for hit in alone["hits"])
    one = {"answer": {"max_tokens": 1}, "context": {"passages": 3}, "rerank": None, "compress": None}
    copies = await search(api, path="/v1/query", plan={**one, "group": None})
    once = await search(api, path="/v1/query", plan=one)
    assert once["usage"]["context_tokens"] > copies["usage"]["context_tokens"] > 0, "the others are longer"


async def test_no_text_is_ranked_twice(api):
    plan = {**WORDS, "rerank": {"limit": 2}, "group": {}}
    reply = await search(api, plan=plan)
    assert [("rerank" in hit["scores"]) for hit in reply["hits"]] == [True, True, False]


async def test_hits_are_grouped_by_document_and_by_field(api):
    whole = await search(api, collection="other", limit=20)
    by_document = await search(api, collection="other", group_by="document", limit=20)
    assert sorted(ids(by_document)) == ["a", "long"]
    assert sum(len(others) for _, others in groups(by_document)) == len(whole["hits"]) - 2 > 0
    by_team = await search(api, group_by="team", limit=20)
    values = [hit["group"] and hit["group"]["value"] for hit in by_team["hits"]]
    assert sorted(value for value in values if value) == ["sea"]
    # d has no team, and neither has e: each is one hit. Of land only c was found.
    assert len(by_team["hits"]) == 4
    by_year = await search(api, group_by="year", limit=20)
    assert [hit["group"]["value"] for hit in by_year["hits"] if hit["group"]] == [2025]
    best = {hit["document_id"]: hit["score"] for hit in (await search(api, limit=20))["hits"][::-1]}
    assert by_team["hits"][0]["score"] == max(best.values()), "the best of a group stands for it"


async def test_a_group_is_led_by_what_reranking_puts_first(api):
    plan = {**WORDS, "rerank": {"limit": 10}}
    ranked = ids(await search(api, plan=plan))
    teams = {one["id"]: one["metadata"].get("team") or one["id"] for one in DOCUMENTS}
    first = list({teams[one]: one for one in reversed(ranked)}.values())
    assert set(ids(await search(api, plan=plan, group_by="team"))) == set(first)


async def test_groups_reach_over_collections(api):
    both = {"collection": ["c", "other"]}
    (first, *_) = (await search(api, **both, group_by="text"))["hits"]
    assert {first["collection"], *(one["collection"] for one in first["group"]["passages"])} == {"c", "other"}
    documents = await search(api, **both, group_by="document")
    assert sorted(ids(documents)) == ["a", "a", "b", "c", "d", "e", "long"], (
        "a document is one of its collection"
    )


async def test_what_cannot_be_grouped_or_counted_by_is_refused(api, problem):
    for member in ({"group_by": "taem"}, {"facets": ["taem"]}, {"plan": {"group": {"by": "taem"}}}):
        reply = await api("POST", "/v1/search", json={"collection": "c", "query": "otters", **member})
        body = problem(reply, 422, "invalid-field")
        assert "team" in body["allowed"]
        assert "taem" in body["detail"]
    for member in (
        {"group_by": "team", "plan": {"group": {"by": "text"}}},
        {"facets": ["team", {"field": "team"}]},
        {"facets": [{"field": "team", "size": 3}]},
        {"facets": [{"field": "team", "values": 0}]},
        {"offset": -1},
        {"plan": {"group": {"places": 3}}},
    ):
        reply = await api("POST", "/v1/search", json={"collection": "c", "query": "otters", **member})
        problem(reply, 422, "invalid-request")


async def test_a_collections_plan_can_group(api):
    await api.made("planned", plan={**WORDS, "group": {"by": "team"}})
    await api.put(*DOCUMENTS[:4], collection="planned")
    own = {"collection": "planned", "plan": None}
    assert len((await search(api, **own))["hits"]) == 3
    assert len((await search(api, **own, group_by="text"))["hits"]) == 2
    assert len((await search(api, **own, group_by=None))["hits"]) == 4
    assert len((await search(api, **own | {"plan": {"group": None}}))["hits"]) == 4


async def test_facets_count_what_the_filter_allows(api):
    facets = ["team", {"field": "year", "values": 2}, "tags"]
    reply = await search(api, facets=facets, limit=1, min_score=1e6)
    assert reply["hits"] == []
    assert reply["facets"]["team"] == {
        "documents": 4,
        "distinct": 2,
        "values": [{"value": "land", "count": 2}, {"value": "sea", "count": 2}],
        "least": None,
        "most": None,
    }
    assert reply["facets"]["year"] == {
        "documents": 4,
        "distinct": 3,
        "values": [{"value": 2025, "count": 2}, {"value": 2024, "count": 1}],
        "least": 2024,
        "most": 2025,
    }
    assert reply["facets"]["tags"]["values"] == [{"value": "x", "count": 1}, {"value": "y", "count": 1}]
    sea = await search(api, facets=["year"], filter={"team": "sea"})
    assert [one["count"] for one in sea["facets"]["year"]["values"]] == [1, 1]
    assert (await search(api))["facets"] is None
    streamed = await api(
        "POST",
        "/v1/query",
        json={"collection": "c", "query": "otters", "plan": "fast", "facets": ["team"], "stream": True},
    )
    assert '"distinct":2' in streamed.text.split("\n\n")[0]


async def test_facets_are_of_all_collections_and_of_live_documents(api):
    await api.made("changed")
    await api.put(*DOCUMENTS, collection="changed")
    await api.put({"id": "a", "text": "Otters.", "metadata": {"team": "air"}}, collection="changed")
    await api("DELETE", "/v1/collections/changed/documents/c")
    reply = await search(api, collection=["changed", "other"], facets=["team", "only"])
    counts = {one["value"]: one["count"] for one in reply["facets"]["team"]["values"]}
    assert counts == {"air": 2, "sea": 1, "land": 1}
    assert reply["facets"]["only"]["values"] == [{"value": True, "count": 1}]
    await api.made("empty")
    nothing = await search(api, collection="empty", facets=["team"], group_by="team")
    assert nothing["facets"]["team"]["values"] == []


async def test_highlights_are_words_of_the_question(api):
    question = "What do Otters with fish do in 東京?"
    reply = await search(api, question, collection=["c", "other"], highlight=True, limit=20)
    texts = {one["id"]: one["text"] for one in DOCUMENTS} | {"long": LONG}
    seen = set()
    for hit in reply["hits"]:
        last = 0
        for one in hit["highlights"]:
            start, end = one["at"]
            assert last <= start < end
            last = end
            found = hit["text"][start:end]
            assert texts[hit["document_id"]][one["start"] : one["end"]] == found
            assert set(terms_of(found)) & set(terms_of(question))
            assert one["query"] in question
            assert (one["by"], one["similarity"]) == ("words", None)
            seen.add(found)
    assert seen == {"Otters", "otters", "otter’s", "fish", "ﬁsh", "東京"}
    assert any(hit["span"][0] > 0 for hit in reply["hits"])
    assert all(hit["highlights"] is None for hit in (await search(api, question))["hits"])


async def test_words_that_are_like_those_of_the_question_are_highlighted_too(api, monkeypatch):
    # The tiny network's similarities mean nothing: all count.
    monkeypatch.setattr("api.query.highlights.SIMILAR", -1.0)
    tokens = {"base": "fast", "retrieve": {"lexical": None}}
    reply = await search(api, "otters swim", plan=tokens, highlight=True)
    by = set()
    for hit in reply["hits"]:
        last = 0
        for one in hit["highlights"]:
            start, end = one["at"]
            assert last <= start < end
            last = end
            assert terms_of(hit["text"][start:end]), "whole words that mean something"
            assert one["query"] in ("otters", "swim")
            assert (one["by"] == "tokens") == (one["similarity"] is not None)
            by.add(one["by"])
    assert by == {"words", "tokens"}
    monkeypatch.setattr("api.query.highlights.SIMILAR", 1.1)
    reply = await search(api, "otters swim", plan=tokens, highlight=True)
    assert {one["by"] for hit in reply["hits"] for one in hit["highlights"]} == {"words"}


@pytest.mark.long
async def test_lists_are_searched_as_deep_as_a_page_or_its_groups_need(api):
    """230 copies fill what a retriever usually finds; nine other texts stand behind them."""
    await api.made("copies")
    copies = [{"id": f"copy-{at:03}", "text": "otter fish"} for at in range(230)]
    others = [{"id": f"other-{at}", "text": f"otter {'word ' * at}and{at}"} for at in range(1, 10)]
    for at in range(0, 230, 100):
        await api.put(*copies[at : at + 100], collection="copies")
    await api.put(*others, collection="copies")
    asked = {"query": "otter fish", "collection": "copies"}
    for retrieve in ({"tokens": None}, {}):
        plan = {"base": "fast", "retrieve": retrieve}
        reply = await search(api, **asked, plan=plan, group_by="text")
        assert len(reply["hits"]) == 10
        assert reply["hits"][0]["group"]["others"] == 229
        assert len(reply["hits"][0]["group"]["passages"]) == 10
        second = await search(api, **asked, plan=plan, group_by="text", limit=5, offset=5)
        assert second["hits"] == reply["hits"][5:]
        seen = [ids(await search(api, **asked, plan=plan, limit=60, offset=at)) for at in range(0, 300, 60)]
        assert sorted(one for page in seen for one in page) == sorted(one["id"] for one in [*copies, *others])
    # A limit that the plan sets holds.
    few = {**WORDS, "retrieve": {"tokens": None, "lexical": {"limit": 150}}}
    assert len(ids(await search(api, **asked, plan=few, limit=100, offset=100))) == 50
    assert len((await search(api, **asked, plan=few, group_by="text"))["hits"]) == 1
    # What is reranked is the same for every page, so it is searched for on each.
    reranked = {**WORDS, "group": {}, "rerank": {"limit": 8}}
    whole = await search(api, **asked, plan=reranked)
    pages = [await search(api, **asked, plan=reranked, limit=2, offset=at) for at in range(0, 10, 2)]
    assert [hit for page in pages for hit in page["hits"]] == whole["hits"]
