"""Every error is a problem of a registered type, and says what to do."""

import importlib
import pkgutil
from dataclasses import replace

import msgspec
import pytest

import api as api_package
import compress
import context
import models
import rerank as rerank_stage
import retrieval
from api.http.problems import PROBLEMS, document, problem_types, type_of
from base.errors import ExcerptaError, Overloaded


def every_class(cls=ExcerptaError):
    yield cls
    for child in cls.__subclasses__():
        yield from every_class(child)


def test_the_table_has_every_error():
    for package in (api_package, compress, context, models, rerank_stage, retrieval):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    # Evaluation and training stand above the service: their errors are told on a command line.
    elsewhere = ("tests", "test_", "evaluation.", "training.", "benchmarks.")
    ours = {cls for cls in every_class() if not cls.__module__.startswith(elsewhere)}
    missing = sorted(f"{cls.__module__}.{cls.__name__}" for cls in ours - set(PROBLEMS))
    assert not missing, f"give these a row in api.http.problems.PROBLEMS: {missing}"


def test_a_slug_means_one_thing():
    by_slug = {}
    for kind in PROBLEMS.values():
        assert by_slug.setdefault(kind.slug, kind) == kind


def test_facts_are_members_and_inner_errors_keep_their_words():
    body = document(Overloaded("cpu", 3, 3, 1.5))
    assert body["device"] == "cpu"
    assert body["retry_after_s"] == 1.5
    assert body["status"] == 503

    class Unforeseen(ExcerptaError):
        pass

    assert type_of(Unforeseen("x")) == PROBLEMS[ExcerptaError]
    assert "secret" not in msgspec.json.encode(document(RuntimeError("secret"))).decode()
    assert "secret" not in msgspec.json.encode(document(Unforeseen("secret"))).decode()


@pytest.fixture
def api(shared_api):
    return shared_api


@pytest.fixture
def query(api):
    async def ask(**members):
        return await api("POST", "/v1/query", json={"collection": "c", "query": "tides", **members})

    return ask


async def test_addresses_and_methods(api, problem):
    problem(await api("GET", "/nowhere"), 404, "not-found")
    problem(await api("GET", "/v1/collections/none"), 404, "unknown-collection")
    problem(await api("PUT", "/v1/collections/a%20b", json={}), 422, "invalid-request")
    problem(await api("PUT", "/v1/collections/..%2Fup", json={}), 404, "not-found")
    problem(await api("GET", "/v1/collections/c/documents%2Fx"), 404, "not-found")
    problem(await api("PUT", "/v1/collections/" + "n" * 129, json={}), 422, "invalid-request")
    reply = await api("GET", "/v1/query")
    problem(reply, 405, "method-not-allowed")
    assert "POST" in reply.headers["allow"]
    problem(await api("GET", "/v1/jobs/none"), 404, "unknown-job")
    problem(await api("DELETE", "/v1/jobs/none"), 404, "unknown-job")
    problem(await api("GET", "/v1/jobs/none/events"), 404, "unknown-job")


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 10**9}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"query": ""}, "query"),
        ({"query": 5}, "query"),
        ({"query": "x" * 20_001}, "query"),
        ({"collection": []}, "collection"),
        ({"collection": "../etc"}, "collection"),
        ({"colection": "c"}, "collection, filter, limit"),
        ({"plan": {"retreive": {}}}, "retrieve"),
        ({"plan": {"retrieve": {"tokens": 3}}}, "plan.retrieve"),
        ({"timeout_ms": 0}, "timeout_ms"),
    ],
)
async def test_a_wrong_member_is_named_with_what_is_allowed(query, problem, members, says):
    body = problem(await query(**members), 422, "invalid-request")
    assert says in body["detail"], body


async def test_bodies_that_cannot_be_read(api, problem):
    json = {"content-type": "application/json"}
    problem(await api("POST", "/v1/query", content=b"{nope", headers=json), 400, "malformed-request")
    problem(
        await api("POST", "/v1/query", content=b'{"query": "\xff"}', headers=json), 400, "malformed-request"
    )
    assert (await api("POST", "/v1/query", content=b"", headers=json)).status_code in (400, 422)
    assert (await api("POST", "/v1/query", content=b"[]", headers=json)).status_code == 422


async def test_a_body_too_large_is_refused(api, problem):
    huge = b'{"query": "' + b"x" * (17 << 20) + b'"}'
    problem(
        await api("POST", "/v1/query", content=huge, headers={"content-type": "application/json"}),
        413,
        "too-large",
    )


@pytest.mark.parametrize(
    ("plan", "slug", "says"),
    [
        ({"fuse": {"method": "sum"}}, "unknown-method", "scores, rrf, weighted"),
        ({"fuse": {"method": "scores", "k": 3}}, "invalid-option", "weights"),
        ({"fuse": {"weights": {"nothing": 1}}}, "invalid-plan", "tokens, lexical, ngrams"),
        ({"fuse": {"weights": {"tokens": -1}}}, "invalid-option", "weights"),
        ({"compress": {"method": "lexical", "window": 4}}, "invalid-option", "odd"),
        ({"compress": {"word": "first"}}, "invalid-option", "window"),
    ],
)
async def test_plans_that_no_method_can_follow_are_refused(api, query, problem, plan, slug, says):
    await api.made()
    body = problem(await query(plan=plan), 422, slug)
    assert says in body["detail"], body


@pytest.mark.parametrize(
    ("rerank", "slug", "says"),
    [
        ({"metod": "first"}, "invalid-option", "its options are limit"),
        ({"window": 5}, "invalid-option", "its options are limit"),
        (
            {"method": "likelihood", "window": 5},
            "invalid-option",
            "limit, passage_tokens, query_tokens",
        ),
        ({"method": "first", "windw": 5}, "invalid-option", "window, stride, passage_words"),
        ({"method": "first", "window": 21}, "invalid-option", "window"),
        ({"method": "first", "window": 5, "stride": 5}, "invalid-option", "stride"),
        ({"method": "firts"}, "unknown-method", "first"),
        ({"method": "cross-encoder"}, "method-unavailable", "[cross_encoder]"),
    ],
)
async def test_an_option_that_a_method_does_not_have_is_refused(api, query, problem, rerank, slug, says):
    await api.made()
    body = problem(await query(plan={"rerank": rerank}), 422, slug)
    assert says in body["detail"], body
    if slug != "method-unavailable":
        problem(await api("PUT", "/v1/collections/d", json={"plan": {"rerank": rerank}}), 422, slug)


@pytest.mark.parametrize(
    ("plan", "slug", "says"),
    [
        ({"retrieve": {"tokens": {"limit": 0}}}, "invalid-option", "limit"),
        ({"retrieve": {"lexical": {"beams": 3}}}, "invalid-option", "its options are limit"),
        ({"retrieve": {"token": {}}}, "unknown-method", "tokens, lexical, ngrams"),
        ({"retrieve": {"auto": {}}}, "unknown-method", "tokens, lexical, ngrams"),
        ({"retrieve": {"tokens": {"method": "lexical"}}}, "unknown-method", "tokens, lexical, ngrams"),
    ],
)
async def test_a_wrong_retriever_is_refused_with_what_is_allowed(api, query, problem, plan, slug, says):
    await api.made()
    body = problem(await query(plan=plan), 422, slug)
    assert says in body["detail"], body
    problem(await api("PUT", "/v1/collections/d", json={"plan": plan}), 422, slug)


async def test_plans_and_filters(api, query, problem):
    await api.made()
    await api.put({"id": "a", "text": "tides", "metadata": {"year": 2020}})
    body = problem(await query(plan="fastest"), 422, "unknown-plan")
    assert body["allowed"] == ["balanced", "best", "fast"]
    problem(await query(plan={"base": "x"}), 422, "unknown-plan")
    off = {"tokens": None, "lexical": None, "ngrams": None}
    problem(await query(plan={"retrieve": off}), 422, "invalid-plan")
    body = problem(await query(filter={"yeer": 1}), 422, "invalid-filter")
    assert body["field"] == "yeer"
    assert "year" in body["allowed"]
    problem(await query(filter={"year": {"$regex": "x"}}), 422, "invalid-filter")
    problem(await query(query=" \n\t"), 422, "invalid-request")
    problem(await query(query="x" * 20_001), 422, "invalid-request")
    problem(await query(collection="none"), 404, "unknown-collection")
    problem(await query(collection=["c", "none"]), 404, "unknown-collection")
    search = {"collection": "c", "query": "x", "plan": {"answer": {}}}
    problem(await api("POST", "/v1/search", json=search), 422, "invalid-plan")
    # A stream that cannot begin is an ordinary problem.
    problem(await query(filter={"yeer": 1}, stream=True), 422, "invalid-filter")


async def test_documents_all_or_none(api, problem):
    await api.made()

    async def put(*documents):
        return await api("POST", "/v1/collections/c/documents", json={"documents": list(documents)})

    good = {"id": "good", "text": "fine"}
    body = problem(await put(good, good), 422, "duplicate-document")
    assert body["ids"] == ["good"]
    problem(await put(), 422, "invalid-request")
    problem(await put(*[{"id": str(n), "text": "x"} for n in range(101)]), 422, "invalid-request")
    problem(await put(good, {"id": "bad", "text": ""}), 422, "invalid-request")
    problem(await put(good, {"id": "b\0d", "text": "x"}), 422, "invalid-request")
    problem(await put(good, {"id": "bad", "text": "x", "metadata": {"n": 10**30}}), 422, "invalid-request")
    problem(
        await put(good, {"id": "bad", "text": "x", "metadata": {"n": {"deep": 1}}}), 422, "invalid-request"
    )
    problem(await api("GET", "/v1/collections/c/documents/good"), 404, "unknown-document")
    assert (await api("GET", "/v1/collections/c")).json()["documents"] == 0
    assert (await api("GET", "/v1/jobs")).json()["jobs"] == []


async def test_collections_twice_and_with_impossible_settings(api, problem):
    await api.made()
    problem(await api("PUT", "/v1/collections/c", json={}), 409, "collection-exists")
    problem(
        await api("PUT", "/v1/collections/d", json={"passage_tokens": 20, "overlap_tokens": 20}),
        422,
        "invalid-request",
    )
    problem(await api("PUT", "/v1/collections/d", json={"passage_tokens": 5}), 422, "invalid-request")
    problem(await api("PUT", "/v1/collections/d", json={"plan": "nope"}), 422, "unknown-plan")
    problem(await api("GET", "/v1/collections/d"), 404, "unknown-collection")


async def test_uploads_that_are_none(api, problem):
    await api.made()
    files = "/v1/collections/c/files"
    problem(await api("POST", files, files=[("files", ("../../etc/passwd", b"x"))]), 422, "invalid-upload")
    problem(await api("POST", files, files=[("files", ("/abs.txt", b"x"))]), 422, "invalid-upload")
    assert (await api("POST", files, files=[("other", ("a.txt", b"x"))])).status_code == 422
    assert (await api("POST", files, json={})).status_code in (400, 422)
    problem(await api("POST", "/v1/collections/c/documents:batch", content=b""), 422, "invalid-upload")
    problem(
        await api("POST", "/v1/collections/none/documents:batch", content=b"{}"), 404, "unknown-collection"
    )
    bad_key = {"Idempotency-Key": "k" * 201}
    problem(
        await api("POST", "/v1/collections/c/documents:batch", content=b"{}", headers=bad_key),
        422,
        "invalid-request",
    )
    assert list((api.service.settings.data_dir / "spool").iterdir()) == []


async def test_a_full_device_answers_at_once(api, problem):
    await api.made()
    with api.service.device.admit(10**6):
        reply = await api("POST", "/v1/query", json={"collection": "c", "query": "x"})
        problem(reply, 503, "overloaded")
        assert int(reply.headers["retry-after"]) >= 1
        streamed = await api("POST", "/v1/query", json={"collection": "c", "query": "x", "stream": True})
        problem(streamed, 503, "overloaded")
        problem(await api("POST", "/v1/rerank", json={"query": "x", "documents": ["y"]}), 503, "overloaded")


async def test_the_unforeseen_leaks_nothing(api, problem, monkeypatch):
    async def fail(name):
        raise RuntimeError("password is hunter2")

    monkeypatch.setattr("api.collections.library.Library.get", lambda self, name: fail(name))
    reply = await api("GET", "/v1/collections/c")
    problem(reply, 500, "internal-error")
    assert "hunter2" not in reply.text


async def test_a_database_that_is_away_is_a_503(api, problem, monkeypatch):
    from sqlalchemy.exc import OperationalError

    async def fail():
        raise OperationalError("SELECT", {}, OSError("no route"))

    monkeypatch.setattr("api.collections.library.Library.all", lambda self: fail())
    reply = await api("GET", "/v1/collections")
    problem(reply, 503, "database-unavailable")
    assert "retry-after" in reply.headers


async def test_single_stages(api, problem):
    rerank = "/v1/rerank"
    body = problem(
        await api("POST", rerank, json={"query": "x", "documents": ["y"], "model": "z"}),
        422,
        "unknown-method",
    )
    assert body["allowed"] == ["auto", *rerank_stage.CATALOGUE]
    one = {"query": "x", "documents": ["y"]}
    body = problem(await api("POST", rerank, json=one | {"options": {"window": 3}}), 422, "invalid-option")
    assert body["allowed"] == ["limit", "passage_tokens", "query_tokens"]
    for name, value in (("limit", 3), ("method", "first")):
        body = problem(
            await api("POST", rerank, json=one | {"options": {name: value}}), 422, "invalid-request"
        )
        assert f"`{name}`" in body["detail"]
    absent = problem(
        await api("POST", rerank, json=one | {"model": "cross-encoder"}), 422, "method-unavailable"
    )
    assert absent["missing"] == ["cross_encoder"]
    problem(await api("POST", rerank, json=one | {"model": "cached-likelihood"}), 422, "method-unavailable")
    problem(await api("POST", rerank, json={"query": "x", "documents": []}), 422, "invalid-request")
    problem(await api("POST", rerank, json={"query": " ", "documents": ["y"]}), 422, "invalid-request")
    problem(
        await api("POST", "/v1/compress", json={"texts": ["x"], "target_tokens": -1}), 422, "invalid-request"
    )
    problem(await api("POST", "/v1/compress", json={"texts": ["x"], "method": "z"}), 422, "unknown-method")


async def test_each_type_has_a_page(api, problem):
    for slug, kind in problem_types().items():
        page = await api("GET", f"/problems/{slug}")
        assert page.status_code == 200
        assert kind.title.split("'")[0] in page.text
    problem(await api("GET", "/problems/none"), 404, "not-found")


async def test_keys(settings, open_api, problem):
    key = "k" * 16
    async with open_api(replace(settings, api_keys=(key, "other-key-of-16-characters"))) as api:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {key}"},
            {"Authorization": key},
        ):
            reply = await api("GET", "/v1/collections", headers=headers)
            problem(reply, 401, "unauthorized")
            assert reply.headers["www-authenticate"] == "Bearer"
        good = {"Authorization": f"Bearer {key}"}
        assert (await api("GET", "/v1/collections", headers=good)).status_code == 200
        assert (await api("GET", "/metrics")).status_code == 401
        for public in ("/health/live", "/health/ready", "/docs", "/", "/openapi.json", "/problems/not-found"):
            assert (await api("GET", public)).status_code == 200, public
        schema = (await api("GET", "/openapi.json")).json()
        assert schema["security"] == [{"key": []}]
