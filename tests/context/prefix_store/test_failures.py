"""A disk that is full or broken and a Redis that is dead cost their help, never a request."""

from __future__ import annotations

import errno
import logging
import os
import socket
import subprocess
import time

import pytest

from context.prefix_store import DiskTier, MemoryTier, PrefixStore, RedisTier
from context.prefix_store.breaker import Breaker, Guarded
from tests.support.context_blocks import (
    BLOCK,
    block_of,
    cache,
    cached,
    in_child,
    key_of,
    maker,
    never,
    same,
    stored_of,
)


class Failing(MemoryTier):
    """A tier that fails while it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(10**6)
        self.fails = True
        self.asked = 0

    def _work(self) -> None:
        self.asked += 1
        if self.fails:
            raise OSError("gone")

    def get(self, key):
        self._work()
        return super().get(key)

    def put(self, key, block):
        self._work()
        super().put(key, block)

    def delete(self, key):
        self._work()
        return super().delete(key)

    def delete_scope(self, scope, documents=None):
        self._work()
        return super().delete_scope(scope, documents)


def guarded(tier, **options):
    """The tier behind breakers whose clock is the returned list's only element."""
    now = [0.0]
    shield = Guarded(tier)
    shield._reads = Breaker(clock=lambda: now[0], **options)
    shield._writes = Breaker(clock=lambda: now[0], **options)
    return shield, now


def test_a_failing_tier_is_asked_once_a_pause(caplog):
    tier = Failing()
    shield, now = guarded(tier)
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            assert shield.get(key_of(1)) is None
        assert tier.asked == 1
        for _ in range(50):
            shield.put(key_of(1), stored_of(1))
        assert tier.asked == 2
        tier.fails = False
        now[0] = 100.0
        shield.put(key_of(1), stored_of(1))
        assert shield.get(key_of(1)) is not None
    assert shield.stats().errors == 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO", "INFO"]


@pytest.mark.parametrize("document", ["a", None, "by key"])
def test_what_could_not_be_deleted_is_never_read_again(document):
    tier = Failing()
    tier.fails = False
    shield, now = guarded(tier)
    key, other = key_of(1, document="a"), key_of(1, document="b")
    for one in (key, other):
        shield.put(one, stored_of(1))
    tier.fails = True
    if document == "by key":
        assert not shield.delete(key)
    else:
        assert shield.delete_scope(key.scope, document and {key.document}) == 0
    tier.fails = False
    assert shield.get(key) is None
    now[0] = 100.0
    assert shield.get(key) is None
    assert (shield.get(other) is None) == (document is None)
    assert not shield._owed


def test_what_is_owed_while_debts_are_paid_is_not_lost():
    tier = Failing()
    shield, now = guarded(tier)
    shield.delete_scope("scope", {"a"})
    tier.fails, now[0] = False, 100.0
    pay, paid = tier.delete_scope, []

    def late(scope, documents=None):
        """While the first debt is paid, another deletion fails."""
        if not paid:
            shield._owe("scope", {"b"}, OSError("gone"))
        paid.append(set(documents))
        return pay(scope, documents)

    tier.delete_scope = late
    assert shield.get(key_of(1)) is None
    now[0] = 200.0
    assert shield.get(key_of(1)) is None
    assert paid[0] == {"a"}
    assert "b" in paid[1]
    assert not shield._owed


def test_deletions_owed_are_bounded():
    shield, _ = guarded(Failing())
    for number in range(1001):
        shield.delete_scope("scope", {str(number)})
    assert shield._owed == {"scope": None}


def test_a_directory_that_cannot_be_used_costs_only_the_disk(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        store = PrefixStore(10**6, tmp_path / "file", 10**6)
    assert "disk tier" in caplog.text
    assert store.fetch([key_of(1)], maker([])).cached == (False,)
    assert store.fetch([key_of(1)], never).cached == (True,)
    assert (len(store.stats().tiers), store.stats().errors) == (1, 1)
    store.close()


def test_a_disk_that_breaks_later_degrades_to_encoding(tmp_path):
    store = PrefixStore(0, tmp_path / "store", 10**6)
    namespace = tmp_path / "store" / key_of(1).namespace
    namespace.write_text("in the way")  # neither reading nor writing below it is possible
    calls: list[list[int]] = []
    for _ in range(5):
        assert store.fetch([key_of(1)], maker(calls)).cached == (False,)
        store.flush()
    assert len(calls) == 5
    assert store.stats().errors == 2  # one reading, one writing: the rest of the pause it is left alone
    assert store.stats().tiers[1].bytes == 0
    store.close()


def test_no_space_left_degrades_to_encoding_and_can_still_be_read(tmp_path, monkeypatch):
    store = PrefixStore(BLOCK, tmp_path, 10**6)
    cache(store, key_of(1), block_of(1))
    store.flush()
    written = store.stats().tiers[1].bytes

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    calls: list[list[int]] = []
    for number in (2, 3):
        assert store.fetch([key_of(number)], maker(calls)).cached == (False,)
        store.flush()
    assert len(calls) == 2
    assert not list(tmp_path.rglob("*.tmp"))
    disk = store.stats().tiers[1]
    assert (disk.errors, disk.blocks, disk.bytes) == (1, 1, written)
    monkeypatch.undo()
    store._tiers[0].delete(key_of(1))
    assert same(cached(store, key_of(1)), block_of(1))
    store.close()


@pytest.mark.process
def test_a_file_size_limit_stops_a_write_half_way(tmp_path):
    resource = pytest.importorskip("resource")

    def child() -> None:
        store = PrefixStore(10**6, tmp_path, 10**6)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        assert store.fetch([key_of(1)], maker([])).cached == (False,)
        store.flush()
        stats = store.stats()
        assert (stats.errors, stats.tiers[1].bytes, stats.tiers[1].blocks) == (1, 0, 0)
        assert store.fetch([key_of(1)], never).cached == (True,)
        assert not list(tmp_path.rglob("*.*"))

    assert in_child(child) == 0


@pytest.mark.process
def test_a_full_filesystem_degrades_to_encoding(tmp_path):
    """A real one, of 64 KiB; its budget promises more than it holds."""
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        store = PrefixStore(0, tmp_path, 10**6, admission="always")
        store._tiers[1]._writes = Breaker(0.0)  # tries every time
        for number in range(10):
            block = block_of(number, tokens=200)
            fetched = store.fetch([key_of(number)], lambda _, block=block: [block])
            assert same(fetched.blocks[0], block)
            store.flush()
        disk = store.stats().tiers[1]
        assert disk.errors > 0
        assert disk.blocks > 0
        found = [cached(store, key_of(number)) for number in range(10)]
        assert sum(block is not None for block in found) == disk.blocks
        assert all(block is None or same(block, block_of(n, tokens=200)) for n, block in enumerate(found))
        assert not list(tmp_path.rglob("*.tmp"))
        store.close()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


# Redis


def redis_at(port: int) -> RedisTier:
    return RedisTier(f"redis://127.0.0.1:{port}/0", secret=b"s" * 32, name="excerpta-test", timeout_s=0.1)


@pytest.fixture
def dead_port():
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port():
    """A port where connections are taken and nothing is ever answered."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield server.getsockname()[1]


@pytest.mark.process
@pytest.mark.parametrize("kind", ["dead_port", "silent_port"])
def test_a_dead_redis_degrades_to_encoding_and_slows_only_the_first_request(request, kind, caplog):
    store = PrefixStore(10**6, redis=redis_at(request.getfixturevalue(kind)), admission="always")
    calls: list[list[int]] = []
    began = time.perf_counter()
    keys = [key_of(number) for number in range(20)]
    assert not any(store.fetch(keys, maker(calls)).cached)
    first_s = time.perf_counter() - began
    began = time.perf_counter()
    for number in range(20, 30):
        store.fetch([key_of(number)], maker(calls))
    later_s = time.perf_counter() - began
    assert sum(map(len, calls)) == 30
    assert first_s < 0.45  # one timeout, not twenty
    assert later_s < 0.09
    assert store.fetch(keys, never).cached == (True,) * 20  # memory goes on
    store.flush()
    assert 1 <= store.stats().errors <= 2
    assert caplog.text.count("redis tier fails") <= 2
    store.close()


def test_a_redis_that_comes_back_is_used_again_and_deletes_what_it_owes(make_redis):
    tier = make_redis()
    store = PrefixStore(10**6, redis=tier, admission="always")
    store.fetch([key_of(1, document="a"), key_of(2, document="b")], maker([]))
    store.flush()
    working, tier._redis = tier._redis, redis_at(1)._redis
    assert store.delete_documents(b"", ["a"]) == 1  # memory's
    tier._redis = working
    assert tier.get(key_of(1, document="a")) is not None  # still there, but nobody is given it
    assert cached(store, key_of(1, document="a")) is None
    time.sleep(0.6)
    store._tiers[0].delete(key_of(2, document="b"))
    assert cached(store, key_of(1, document="a")) is None
    assert cached(store, key_of(2, document="b")) is not None
    assert tier.get(key_of(1, document="a")) is None
    store.close()


def test_a_redis_that_is_full_can_still_be_read(make_redis, monkeypatch):
    from redis import Redis
    from redis.exceptions import OutOfMemoryError

    store = PrefixStore(0, redis=make_redis(), admission="always")
    cache(store, key_of(1), block_of(1))
    store.flush()

    def full(*_, **__):
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(Redis, "set", full)
    assert store.fetch([key_of(2)], maker([])).cached == (False,)
    store.flush()
    assert store.stats().tiers[1].errors == 1
    assert same(cached(store, key_of(1)), block_of(1))
    store.close()


def test_a_full_memory_and_no_other_tier_is_no_error():
    store = PrefixStore(0)
    assert store.fetch([key_of(1)], maker([])).cached == (False,)
    assert store.stats().errors == 0
    store.close()


def test_files_of_a_store_are_its_own(tmp_path):
    """What else lies in the directory is left alone."""
    (tmp_path / "notes.txt").write_text("mine")
    DiskTier(tmp_path, 10**6).put(key_of(1), stored_of(1))
    DiskTier(tmp_path, 0)
    assert (tmp_path / "notes.txt").read_text() == "mine"
