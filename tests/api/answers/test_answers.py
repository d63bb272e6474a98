"""Answers written at once: who gets a place, who is refused, and that every place is given back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from api.answers.local import LocalWriter
from api.answers.request import tokens_asked
from api.errors import ShuttingDown
from api.query import plan as plans
from base.errors import InputTooLong, Overloaded
from context import Writing

TIDES = "Tides are caused by the gravity of the moon and the sun."


@pytest.fixture
async def filled(settings, open_api):
    async with open_api(replace(settings, answers=2, answer_tokens=1000, answer_queue_tokens=3000)) as api:
        await api.made()
        await api.put({"id": "tides", "title": "Tides", "text": TIDES})
        yield api


def question(max_tokens=40, **members):
    plan = {"base": "balanced", "compress": None, "context": {"passages": 1}}
    return {
        "collection": "c",
        "query": TIDES,
        "plan": plan | {"answer": {"max_tokens": max_tokens}},
    } | members


async def settle(api):
    """What the loop holds for its answers it gives back a moment after the last of them has left."""
    answers = api.service.writer

    def held():
        return answers.placed, answers.waiting, answers.admitted_tokens, answers.nbytes

    for _ in range(500):
        if not any(held()):
            break
        await asyncio.sleep(0.01)
    assert held() == (0, 0, 0, 0)


def start(api, max_tokens=40, passages=()):
    return lambda: api.service.networks.engine.start(TIDES, passages, writing=Writing(max_tokens=max_tokens))


async def hear(stream):
    pieces = []
    while (piece := await stream.next()) is not None:
        pieces.append(piece)
    return "".join(pieces)


@pytest.mark.long
async def test_answers_at_once_equal_answers_one_by_one(filled):
    alone = [(await filled("POST", "/v1/query", json=question(n))).json()["answer"] for n in (5, 20, 40, 60)]
    before = filled.service.writer.steps
    together = await asyncio.gather(
        *(filled("POST", "/v1/query", json=question(n)) for n in (5, 20, 40, 60) * 2)
    )
    assert [reply.json()["answer"] for reply in together] == alone * 2
    assert filled.service.writer.steps - before < 2 * (5 + 20 + 40 + 60) - 8, "some shared their steps"
    await settle(filled)


async def test_places_are_given_in_order_and_by_tokens(filled):
    answers = filled.service.writer
    streams = [answers.open(start(filled, 30), tokens) for tokens in (400, 700, 10, 10)]
    assert (answers.placed, answers.waiting) == (1, 3), "the second has no room, the third comes behind it"
    streams[1].cancel()
    assert (answers.placed, answers.waiting) == (2, 1)
    texts = await asyncio.gather(*(hear(streams[at]) for at in (0, 2, 3)))
    assert len(set(texts)) == 1
    assert texts[0]
    for stream in streams:
        stream.cancel()
    await settle(filled)


async def test_an_answer_longer_than_the_bound_is_written_alone(filled):
    answers = filled.service.writer
    long = answers.open(start(filled, 5), 10**6)
    short = answers.open(start(filled, 5), 1)
    assert (answers.placed, answers.waiting) == (1, 1)
    assert await hear(long) == await hear(short)
    with answers.admit(10**6), pytest.raises(Overloaded):
        with answers.admit(1):
            pass
    await settle(filled)


async def test_a_reader_that_goes_away_gives_its_place_back_at_any_moment(filled):
    answers = filled.service.writer
    waiting = [answers.open(start(filled, 500), 400) for _ in range(3)]
    for stream in waiting:  # before they begin, or while they wait
        stream.cancel()
    begun = answers.open(start(filled, 500), 400)
    assert await begun.next() == ""
    assert await begun.next()
    begun.cancel()
    await settle(filled)
    assert begun.usage.generated_tokens < 500


async def test_an_answer_that_cannot_begin_says_why(filled):
    answers = filled.service.writer
    stream = answers.open(start(filled, 10**6), 10)
    for _ in range(2):
        with pytest.raises(InputTooLong):
            await stream.next()
    stream.cancel()
    await settle(filled)


async def test_a_closed_device_ends_what_is_asked_of_it(filled):
    class Closed:
        name, retry_after_s = "cpu", 1.0

        def submit(self, *args, **options):
            raise RuntimeError("closed")

    answers = LocalWriter(Closed(), filled.service.networks, rows=2, tokens=10, queue_tokens=10)
    streams = [answers.open(start(filled), 1) for _ in range(5)]
    for stream in streams:
        with pytest.raises(ShuttingDown):
            await asyncio.wait_for(stream.next(), 5)
    await asyncio.sleep(0)
    assert (answers.placed, answers.waiting) == (0, 0)


@pytest.mark.long
async def test_a_full_queue_is_refused_in_tokens(filled, problem):
    with filled.service.writer.admit(2990):
        body = problem(await filled("POST", "/v1/query", json=question()), 503, "overloaded")
        assert (body["waiting"], body["capacity"]) == (2990, 3000)
        search = await filled("POST", "/v1/search", json={"collection": "c", "query": TIDES})
        assert search.status_code == 200, "what writes nothing needs no tokens"
    assert (await filled("POST", "/v1/query", json=question())).status_code == 200
    await settle(filled)


async def test_time_runs_out_while_waiting(filled):
    answers = filled.service.writer
    first = answers.open(start(filled, 1500), 10**6)
    reply = await filled("POST", "/v1/query", json=question(timeout_ms=400))
    body = reply.json()
    assert body["partial"] is True
    assert body["answer"]["finish_reason"] == "timeout"
    first.cancel()
    await settle(filled)


def test_what_a_plan_asks_for():
    assert tokens_asked(plans.resolve("fast"), 200) == 0
    budget = {"base": "balanced", "context": {"passages": 3}, "answer": {"max_tokens": 50}}
    assert tokens_asked(plans.resolve(budget | {"compress": None}), 200) == 650
    assert tokens_asked(plans.resolve(budget | {"compress": {"target_tokens": 100}}), 200) == 150
    assert tokens_asked(plans.resolve(budget | {"compress": {"target_tokens": 9999}}), 200) == 650
