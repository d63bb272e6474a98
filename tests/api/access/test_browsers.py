"""A web page of another site can neither read nor change a service without keys."""

from dataclasses import replace

import pytest

SEARCH = {"collection": "c", "query": "sea"}
OWN = {"host": "localhost:8000"}


@pytest.fixture
async def there(shared_api):
    await shared_api.made()
    await shared_api.put({"id": "a", "text": "Tides come twice a day."})
    return shared_api


CALLS = [
    ("GET", "/v1/collections", {}),
    ("GET", "/v1/collections/c/documents/a", {}),
    ("GET", "/metrics", {}),
    ("POST", "/v1/search", {"json": SEARCH}),
    ("POST", "/v1/collections/c/documents", {"json": {"documents": [{"id": "x", "text": "planted"}]}}),
    ("POST", "/v1/collections/c/files", {"files": {"files": ("x.txt", b"planted")}}),
    ("POST", "/v1/collections/c/documents:batch", {"content": b'{"id": "x", "text": "planted"}'}),
    ("DELETE", "/v1/collections/c/documents/a", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), CALLS)
async def test_foreign_pages_are_refused_on_reads_and_writes(there, problem, method, path, options):
    for headers in (
        {**OWN, "origin": "https://evil.example"},
        {**OWN, "origin": "null"},
        {**OWN, "origin": "http://["},
        {**OWN, "origin": "http://localhost:3000"},
        {**OWN, "sec-fetch-site": "cross-site"},
        {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},
    ):
        problem(await there(method, path, headers=headers, **options), 403, "foreign-page")
    for host in (
        "evil.example",
        "localhost.evil.example",
        "0.0.0.0:8000",
        "10.1.2.3",
        "127.0.0.1.evil.example",
    ):
        problem(await there(method, path, headers={"host": host}, **options), 403, "unknown-host")
    assert (await there("GET", "/v1/collections/c")).json()["documents"] == 1
    assert (await there("GET", "/v1/collections/c/documents/x")).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8000"},
        {"host": "127.0.0.1:8000"},
        {"host": "[::1]:8000"},
        {"host": "test"},
        {**OWN, "origin": "http://localhost:8000", "sec-fetch-site": "same-origin"},
        {**OWN, "sec-fetch-site": "none"},
        {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"},
    ],
)
async def test_own_names_pages_and_links_are_answered(there, headers):
    assert (await there("GET", "/v1/collections/c/documents/a", headers=headers)).status_code == 200


async def test_a_probe_may_use_any_name(there):
    assert (await there("GET", "/health/ready", headers={"host": "10.1.2.3:8000"})).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
async def test_json_routes_demand_json(there, problem, kind):
    for path in ("/v1/search", "/v1/collections/c/documents", "/v1/rerank"):
        headers = {"content-type": kind} if kind else {}
        body = problem(
            await there("POST", path, content=b"{}", headers=headers), 415, "unsupported-media-type"
        )
        assert "application/json" in body["detail"]
    reply = await there(
        "POST", "/v1/search", content=b"{}", headers={"content-type": "application/json; charset=utf-8"}
    )
    assert reply.status_code == 422


async def test_configured_pages_and_names(settings, open_api, problem):
    page = "https://app.example.org"
    named = replace(settings, cors_origins=(page,), public_url="https://ask.example.org/")
    async with open_api(named) as api:
        headers = {"host": "ask.example.org", "origin": page, "sec-fetch-site": "cross-site"}
        reply = await api("GET", "/v1/collections", headers=headers)
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == page
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        reply = await api("OPTIONS", "/v1/search", headers={**headers, **asked})
        assert reply.status_code == 204
        assert reply.headers["access-control-allow-origin"] == page
        foreign = {**headers, "origin": "https://evil.example"}
        reply = await api("GET", "/v1/collections", headers=foreign)
        problem(reply, 403, "foreign-page")
        assert "access-control-allow-origin" not in reply.headers


async def test_with_keys_a_page_needs_one(settings, open_api):
    async with open_api(replace(settings, api_keys=("k" * 16,))) as api:
        headers = {"host": "box:8000", "origin": "https://evil.example"}
        assert (await api("GET", "/v1/collections", headers=headers)).status_code == 401
        known = {**headers, "authorization": "Bearer " + "k" * 16}
        reply = await api("GET", "/v1/collections", headers=known)
        assert reply.status_code == 200
        assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    ("public", "host", "begins"),
    [
        ("https://ask.example.org/rag/", "evil.example", "https://ask.example.org/rag/v1/"),
        ("", "evil.example", "/v1/"),
        ("", "localhost:8000", "http://localhost:8000/v1/"),
    ],
)
def test_links_never_follow_a_foreign_host(public, host, begins):
    from litestar import Request

    from api.access.browsers import base_url
    from api.compat.openai_chat import links_of
    from api.settings import Settings

    scope = {
        "type": "http",
        "path": "/v1/chat/completions",
        "root_path": "",
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "headers": [(b"host", host.encode())],
    }
    assert links_of(base_url(Request(scope), Settings(public_url=public)), "c").startswith(begins)
