"""A hundred readers at once who come and go: nothing is left of them, and the end is told to all."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time

import httpx
import psutil

READERS = 100
ROUNDS = 4
ROOMY = {
    "EXCERPTA_QUEUE_CAPACITY": "128",
    "EXCERPTA_ANSWER_QUEUE_TOKENS": "1000000",
    "EXCERPTA_PREFIX_MEMORY_MB": "4",
    "EXCERPTA_PREFIX_DISK_MB": "4",
}
TOPICS = ["the moon", "the sun", "magma", "travel", "the head of finance", "the crust"]
KEPT = (
    "answers_placed",
    "answers_waiting",
    "answer_tokens",
    "answer_row_bytes",
    "device_admitted",
    "device_waiting",
)
MB = 1 << 20


def text_about(topic):
    return (
        f"Tides are caused by {topic}, which is approved by the gravity of {topic} and not by anybody else."
    )


async def fill(client):
    await client.put("/v1/collections/c", json={})
    documents = [{"id": f"d{n}", "text": text_about(topic) * 3} for n, topic in enumerate(TOPICS)]
    reply = await client.post("/v1/collections/c/documents", json={"documents": documents})
    assert reply.status_code == 200


def question(draw, max_tokens=None):
    plan = {
        "base": "balanced",
        "rerank": None,
        "context": {"reading": {"method": draw.choice(["ape", "sequential", "guard"])}},
        "answer": {
            "max_tokens": max_tokens or draw.choice([4, 40, 200]),
            "temperature": draw.choice([0, 1.0]),
        },
    }
    return {"collection": "c", "query": text_about(draw.choice(TOPICS)), "plan": plan, "stream": True}


async def read(client, draw):
    """One reader: a third stay to the end, the others leave at some event, or at some moment."""
    kind = draw.choice(["stays", "leaves at an event", "leaves at a moment"])
    events = draw.randrange(1, 30)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(draw.uniform(0, 3) if kind == "leaves at a moment" else 120):
            async with client.stream("POST", "/v1/query", json=question(draw)) as reply:
                assert reply.status_code == 200, await reply.aread()
                last = ""
                async for line in reply.aiter_lines():
                    if line.startswith("event: "):
                        last, events = line.removeprefix("event: "), events - 1
                        if kind == "leaves at an event" and events == 0:
                            return "left"
                assert last == "done", last
                return "stayed"
    assert kind == "leaves at a moment"
    return "left"


async def kept(client):
    """What the service says it holds, once it holds nothing more or after a while."""
    for _ in range(200):
        page = (await client.get("/metrics")).text
        values = {name: float(page.split(f"\nexcerpta_{name} ")[1].split("\n")[0]) for name in KEPT}
        if not any(values.values()):
            break
        await asyncio.sleep(0.05)
    return values


async def test_a_hundred_readers_that_come_and_go_leave_nothing_behind(serve):
    process, url = serve(**ROOMY)
    watched = psutil.Process(process.pid)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    draw = random.Random(5)
    found = []
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        await fill(client)
        for _ in range(ROUNDS):
            outcomes = await asyncio.gather(*(read(client, draw) for _ in range(READERS)))
            assert outcomes.count("stayed") > 10
            assert outcomes.count("left") > 10
            values = await kept(client)
            assert not any(values.values()), values
            memory = watched.memory_full_info().uss / MB
            found.append((memory, watched.num_threads(), watched.num_fds()))
    # The first round warms up: allocators, threads of pools, kept passages.
    (before, threads, files), *_, (after, threads_after, files_after) = found[1:]
    assert after - before < 24, found
    assert threads_after <= threads + 1, found
    assert files_after <= files + 2, found


async def test_the_end_of_the_service_is_told_to_every_reader(serve):
    process, url = serve(**ROOMY)
    limits = httpx.Limits(max_connections=None)
    draw = random.Random(6)
    begun = 0

    async def last_event(client):
        nonlocal begun
        last = ""
        async with client.stream("POST", "/v1/query", json=question(draw, max_tokens=1200)) as reply:
            async for line in reply.aiter_lines():
                if line.startswith("event: "):
                    begun += not last
                    last = line.removeprefix("event: ")
        return last

    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        await fill(client)
        readers = [asyncio.create_task(last_event(client)) for _ in range(40)]
        for _ in range(600):
            if begun == len(readers):
                break
            await asyncio.sleep(0.05)
        assert begun == len(readers)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        lasts = await asyncio.gather(*readers)
        told = time.monotonic() - began
        await asyncio.to_thread(process.wait, 20)
        took = time.monotonic() - began
    assert set(lasts) <= {"error", "done"}, lasts
    assert lasts.count("error") > len(lasts) // 2
    # EXCERPTA_SHUTDOWN_S is 3 here, for requests, for jobs and for the device.
    assert told < 4
    assert took < 9
