"""Retries, deadlines, and problems turned into errors."""

import httpx2
import msgspec
import pytest
from excerpta import AsyncClient, Client, Overloaded, RetryPolicy, errors
from excerpta._retry import RETRIED_STATUSES

FAST = RetryPolicy(first_s=0.001, most_s=0.002)
JOBS = {"jobs": []}


def server(*replies):
    """LocalWriter with each reply in turn, the last one for ever; remembers the requests."""
    seen = []

    def handle(request):
        seen.append(request)
        reply = replies[min(len(seen), len(replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        status, body, *headers = reply
        return httpx2.Response(status, json=body, headers=headers[0] if headers else None)

    return httpx2.MockTransport(handle), seen


def problem(status, slug="some-problem", **facts):
    return status, {"type": f"/problems/{slug}", "title": "T", "status": status, "detail": "do this", **facts}


def test_a_read_is_tried_again_until_it_succeeds():
    transport, seen = server(problem(503), httpx2.ConnectError("refused"), (200, JOBS))
    assert Client("http://x", transport=transport, retry=FAST).jobs.list() == []
    assert len(seen) == 3


def test_retries_end_and_the_last_problem_is_raised():
    transport, seen = server(problem(503, "overloaded", retry_after_s=1))
    with pytest.raises(Overloaded) as raised:
        Client("http://x", transport=transport, retry=FAST).jobs.list()
    assert raised.value.type == "overloaded"
    assert raised.value.facts == {"retry_after_s": 1}
    assert "do this" in str(raised.value)
    assert len(seen) == 1 + FAST.retries


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 500])
def test_what_will_not_change_is_not_tried_again(status):
    transport, seen = server(problem(status))
    with pytest.raises(errors.ApiError) as raised:
        Client("http://x", transport=transport, retry=FAST).jobs.list()
    assert raised.value.status == status
    assert len(seen) == 1


def test_questions_go_out_a_hundred_at_a_time_with_their_options():
    results = [
        {"error": {"type": "/problems/x", "title": "T", "status": 422, "detail": str(at)}}
        for at in range(100)
    ]
    transport, seen = server((200, {"results": results}), (200, {"results": results[:50]}))
    collection = Client("http://x", transport=transport, retry=FAST).collections.get("c")
    found = collection.search_batch((f"q{at}" for at in range(150)), limit=3, plan={"rerank": None}, offset=2)
    assert [one.error.detail for one in found] == [str(at) for at in [*range(100), *range(50)]]
    sent = [msgspec.json.decode(one.content) for one in seen]
    assert [len(one["queries"]) for one in sent] == [100, 50]
    assert sent[1]["queries"][0] == "q100"
    assert all((one["collection"], one["limit"], one["offset"]) == ("c", 3, 2) for one in sent)
    assert sent[0]["plan"] == {"rerank": None}


def test_a_write_without_a_key_is_sent_once():
    transport, seen = server(problem(503))
    with pytest.raises(Overloaded):
        Client("http://x", transport=transport, retry=FAST).collections.delete("c")
    assert len(seen) == 1


def test_retry_after_is_obeyed_within_bounds():
    policy = RetryPolicy()
    assert policy.delay(0, "3") == 3
    assert policy.delay(0, "3600") <= policy.first_s
    assert policy.delay(0, "soon") <= policy.first_s
    assert policy.delay(20) <= policy.most_s


def test_the_deadline_bounds_all_tries_together():
    transport, _ = server(problem(503, "overloaded"), (200, JOBS))
    slow = RetryPolicy(first_s=60, most_s=60)
    with pytest.raises(errors.TimedOut):
        Client("http://x", transport=transport, retry=slow, timeout=0.5).jobs.list()


def test_a_body_that_is_no_problem_still_explains():
    error = errors.error_from_reply(502, b"<html>bad gateway</html>")
    assert isinstance(error, errors.ServerError)
    assert "bad gateway" in error.detail


def test_every_retried_status_has_an_error_class():
    for status in RETRIED_STATUSES:
        assert isinstance(errors.error_from_reply(status, b"{}"), errors.ApiError)


async def test_the_async_client_does_the_same():
    transport, seen = server(problem(503), (200, JOBS))
    async with AsyncClient("http://x", transport=transport, retry=FAST) as client:
        assert await client.jobs.list() == []
    assert len(seen) == 2


def test_the_key_is_sent_and_the_environment_names_the_server(monkeypatch):
    monkeypatch.setenv("EXCERPTA_URL", "http://elsewhere:9/")
    monkeypatch.setenv("EXCERPTA_API_KEY", "secret")
    transport, seen = server((200, JOBS))
    Client(transport=transport).jobs.list()
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert str(seen[0].url) == "http://elsewhere:9/v1/jobs"


def test_unknown_plan_fields_are_refused_before_anything_is_sent():
    transport, seen = server((200, {}))
    with pytest.raises(msgspec.ValidationError):
        Client("http://x", transport=transport).collections.get("c").ask(
            "q", plan={"reranck": {"method": "first"}}
        )
    assert seen == []
