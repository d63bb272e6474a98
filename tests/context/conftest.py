"""Prefix stores and tiers that end with their test, and the tiny language model."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from context.prefix_store import PrefixStore, RedisTier
from tests.support.context_blocks import REDIS
from tests.support.tiny.language_model import make_tiny, tiny

__all__ = ["make_tiny", "tiny"]


@pytest.fixture
def make_redis() -> Iterator[Callable[..., RedisTier]]:
    """Makes tiers that share keys of this test's own on the local Redis."""
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        pytest.skip("no Redis on 127.0.0.1:6379")
    name = f"excerpta-test-{secrets.token_hex(4)}"
    made: list[RedisTier] = []

    def make(**options: Any) -> RedisTier:
        made.append(
            RedisTier(REDIS, name=name, **{"secret": b"s" * 32, "ttl_s": 60, "timeout_s": 5, **options})
        )
        return made[-1]

    yield make
    for place in client.scan_iter(match=f"{name}:*"):
        client.delete(place)
    for tier in made:
        tier.close()
    client.close()


@pytest.fixture
def make_store():
    """Makes prefix stores that are closed with the test."""
    made: list[PrefixStore] = []

    def make(*arguments, **options) -> PrefixStore:
        made.append(PrefixStore(*arguments, **options))
        return made[-1]

    yield make
    for store in made:
        store.close()
