"""The Redis tier: blocks shared by all processes that use the same server.

    <name>:<namespace>/<scope>/<document>/<block>        an HMAC-SHA256, then the bytes of one block's file

Redis is not trusted: others may write there. A value counts only if it carries the HMAC of its own key and
bytes, by a secret that only this service's processes know; whatever else is there is a miss. Redis keeps the
books: it forgets by age, and by its own policy when it is full.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from context.prefix_store.deletion_log import RedisLog
from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock
from context.prefix_store.tier import TierStats
from context.prefix_store.tiers.block_file import CorruptBlock, block_from_bytes, block_to_bytes
from context.prefix_store.tiers.ledger import Counters

T = TypeVar("T")
_READ_SIZE = 1 << 20
_SEAL = 32
"""Bytes of an HMAC-SHA256."""


class RedisTier:
    """A `Tier` in Redis. Values over `largest_bytes` are refused; each lives `ttl_s` after its last use.

    `secret` is that of the service; a block that was sealed with another one is not used.
    A server that does not answer within `timeout_s` fails the call, which is never repeated here.
    `bytes` and `blocks` of the stats are what this process has put in: only Redis knows what is left.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: bytes,
        name: str = "excerpta:prefix",
        ttl_s: int = 86_400,
        largest_bytes: int = 64 << 20,
        timeout_s: float = 0.5,
    ) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_read_size=_READ_SIZE,
            retry=Retry(NoBackoff(), 0),
        )
        self._secret = secret
        self._name = name
        self._ttl_s = ttl_s
        self._largest = largest_bytes
        self._counters = Counters()
        self._blocks = self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: BlockKey) -> StoredBlock | None:
        """The block, or None; a value that is not what its key promises is removed. Raises OSError."""
        data = self._read(self._place(key))
        block = None
        if data:
            try:
                block = block_from_bytes(key, self._unsealed(key, data))
            except CorruptBlock:
                with self._lock:
                    self._counters.corrupt += 1
                _asked(lambda: self._redis.unlink(self._place(key)))
        with self._lock:
            if block is None:
                self._counters.misses += 1
            else:
                self._counters.hits += 1
                self._counters.saved_s += block.seconds
        return block

    def put(self, key: BlockKey, block: StoredBlock) -> None:
        """Keeps the block unless it is there. Raises OSError, also where Redis is full."""
        if block.nbytes > self._largest or len(data := block_to_bytes(key, block)) > self._largest:
            with self._lock:
                self._counters.refused += 1
            return
        place = self._place(key)
        if _asked(lambda: self._redis.expire(place, self._ttl_s)):
            return
        sealed = self._seal(key, data) + data
        _asked(lambda: self._redis.set(place, sealed, ex=self._ttl_s))
        with self._lock:
            self._blocks += 1
            self._bytes += len(data)

    def room(self, size: int) -> bool:
        """False: Redis does not say, so only blocks worth it go there."""
        return False

    def delete(self, key: BlockKey) -> bool:
        """Removes one value; True if it was there. Raises OSError."""
        return bool(_asked(lambda: self._redis.unlink(self._place(key))))

    def delete_scope(self, scope: str, documents: Collection[str] | None = None) -> int:
        """Removes every value of one salt, or of these documents of it; returns how many. Raises OSError."""
        pattern = f"{self._name}:*/{scope}/{'*' if documents is None else '*/*'}"

        def unlink() -> int:
            removed = 0
            for place in self._redis.scan_iter(match=pattern, count=1000):
                if documents is None or cast("bytes", place).split(b"/")[2].decode() in documents:
                    removed += self._redis.unlink(place)
            return removed

        return _asked(unlink)

    def stats(self) -> TierStats:
        """What this process put in and found."""
        with self._lock:
            counters = replace(self._counters)
            return TierStats(
                name="redis",
                blocks=self._blocks,
                bytes=self._bytes,
                capacity_bytes=0,
                hits=counters.hits,
                misses=counters.misses,
                evictions=0,
                refused=counters.refused,
                corrupt=counters.corrupt,
                saved_s=counters.saved_s,
            )

    def deletion_log(self) -> RedisLog:
        """The stream through which processes with this name on this server announce deletions."""
        return RedisLog(self._redis, f"{self._name}:deletions")

    def close(self) -> None:
        """Ends the connections."""
        self._redis.close()

    def _read(self, place: str) -> bytes:
        """The value, as long as a block may be, and empty if there is none; its time begins anew."""
        asked = self._redis.pipeline(transaction=False)
        asked.getrange(place, 0, self._largest + _SEAL - 1)
        asked.expire(place, self._ttl_s)
        answers = _asked(lambda: asked.execute(raise_on_error=False))
        found = answers[0]
        if isinstance(found, ResponseError) and str(found).startswith("WRONGTYPE"):
            return b"another kind of value"
        if isinstance(found, RedisError):
            raise OSError(str(found))
        return cast("bytes", found)

    def _unsealed(self, key: BlockKey, data: bytes) -> bytes:
        content = data[_SEAL:]
        if not hmac.compare_digest(data[:_SEAL], self._seal(key, content)):
            raise CorruptBlock("it was not sealed by this service")
        return content

    def _seal(self, key: BlockKey, content: bytes) -> bytes:
        made = hmac.new(self._secret, f"{key}|".encode(), "sha256")
        made.update(content)
        return made.digest()

    def _place(self, key: BlockKey) -> str:
        return f"{self._name}:{key}"


def _asked(call: Callable[[], T | Any]) -> T | Any:
    """What Redis answers. Raises OSError for every failure of it."""
    try:
        return call()
    except RedisError as error:
        raise OSError(str(error)) from error
