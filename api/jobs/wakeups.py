"""Wake-ups: a signal that something changed, so waiters look at once. A lost one costs a poll interval."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)
_RETRY_S = 2.0


class Listener:
    """One waiter of one topic."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wakes the waiter, now or when it waits next."""
        self._rung.set()

    async def wait(self, at_most_s: float) -> None:
        """Returns when the bell rings, or after `at_most_s` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), at_most_s)
        self._rung.clear()


class WakeUps:
    """Rings within this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def ring(self, topic: str) -> None:
        """Wakes everyone who listens to the topic."""
        self.ring_here(topic)

    def ring_here(self, topic: str) -> None:
        """Wakes the listeners of this process."""
        for listener in self._listeners.get(topic, ()):
            listener.ring()

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[Listener]:
        """A listener. A signal between two of its waits is not missed."""
        listener = Listener()
        self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]


class RedisWakeUps(WakeUps):
    """Rings in every process on the same Redis and the same database; without Redis, in this one."""

    def __init__(self, redis_url: str, database_url: str) -> None:
        super().__init__()
        self._redis = Redis.from_url(redis_url, socket_connect_timeout=2, health_check_interval=15)
        namespace = hashlib.sha256(database_url.encode()).hexdigest()[:12]
        self._channel = f"excerpta:{namespace}:"
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to listen to the other processes."""
        self._listening = asyncio.create_task(self._listen_always(), name="redis-bell")

    async def close(self) -> None:
        """Stops listening and disconnects."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def ring(self, topic: str) -> None:
        """Wakes the topic's listeners in all processes. Never raises."""
        self.ring_here(topic)
        try:
            await self._redis.publish(self._channel + topic, b"")
        except (RedisError, OSError) as error:
            _log.warning("Redis cannot be reached (%s); other processes see the change when they poll", error)

    async def _listen_always(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.psubscribe(f"{self._channel}*")
                    async for message in subscription.listen():
                        if message["type"] == "pmessage":
                            self.ring_here(message["channel"].decode().removeprefix(self._channel))
            except (RedisError, OSError) as error:
                _log.warning("Redis cannot be reached (%s); this process polls until it is back", error)
            await asyncio.sleep(_RETRY_S)


def make_bell(redis_url: str, database_url: str) -> WakeUps:
    """A bell over Redis if there is one, else within this process."""
    return RedisWakeUps(redis_url, database_url) if redis_url else WakeUps()
