"""Signals that wake workers, in one process and through Redis."""

import asyncio
import time

import pytest

from api.jobs.wakeups import RedisWakeUps, WakeUps, make_bell

pytestmark = pytest.mark.long


async def test_a_bell_wakes_whoever_listens(redis_url, tmp_path):
    here = make_bell(redis_url, str(tmp_path))
    there = make_bell(redis_url, str(tmp_path)) if redis_url else here
    stranger = make_bell(redis_url, "another database")
    for bell in {here, there, stranger}:
        await bell.start()
    await asyncio.sleep(0.3 if redis_url else 0)
    try:
        async with here.listen("jobs") as listener, stranger.listen("jobs") as unconcerned:
            began = time.monotonic()
            await there.ring("jobs")
            await listener.wait(5)
            assert time.monotonic() - began < 2
            began = time.monotonic()
            await unconcerned.wait(0.1)
            await listener.wait(0.1)
            assert time.monotonic() - began >= 0.19, "a ring wakes once, and only its own database"
    finally:
        for bell in {here, there, stranger}:
            await bell.close()


async def test_without_redis_the_bell_rings_here(tmp_path):
    bell = RedisWakeUps("redis://127.0.0.1:1/0", str(tmp_path))
    await bell.start()
    async with bell.listen("jobs") as listener:
        await asyncio.wait_for(bell.ring("jobs"), 5)
        began = time.monotonic()
        await listener.wait(5)
        assert time.monotonic() - began < 1
    await bell.close()
    assert isinstance(make_bell("", "x"), WakeUps)
