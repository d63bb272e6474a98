"""Each tier alone: what it gives back, its budget, damage, crashes and restarts."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from context.prefix_store import DiskTier, MemoryTier
from context.prefix_store.tiers.block_file import CorruptBlock, block_from_bytes, block_to_bytes
from tests.support.context_blocks import BLOCK, FILE, REDIS, in_child, key_of, same_stored, size_of, stored_of
from tests.support.speeds import examples

ANY_BYTE = given(st.integers(0, FILE - 1), st.integers(1, 255))
KEEP_FIXTURE = settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=["memory", "disk", pytest.param("redis", marks=pytest.mark.process)])
def any_tier(request, tmp_path):
    if request.param == "redis":
        return request.getfixturevalue("make_redis")()
    return MemoryTier(10**6) if request.param == "memory" else DiskTier(tmp_path, 10**6)


@pytest.fixture(params=["memory", "disk"])
def make_tier(request, tmp_path):
    size = BLOCK if request.param == "memory" else FILE

    def make(blocks, eviction="lru"):
        if request.param == "memory":
            return MemoryTier(blocks * size, eviction)
        return DiskTier(tmp_path, blocks * size, eviction)

    return make


# every tier


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_block_comes_back_bit_for_bit_with_what_it_cost(any_tier, dtype):
    block = stored_of(3, 5, dtype, seconds=0.1)
    assert any_tier.get(key_of(1)) is None
    any_tier.put(key_of(1), block)
    assert same_stored(any_tier.get(key_of(1)), block)
    stats = any_tier.stats()
    assert (stats.hits, stats.misses, stats.blocks, stats.saved_s) == (1, 1, 1, 0.1)
    assert stats.bytes >= block.nbytes


def test_deleting_by_key_by_document_and_by_salt(any_tier):
    keys = [
        key_of(1),
        key_of(2, document="a"),
        key_of(3, document="a"),
        key_of(3, document="b"),
        key_of(3, document="c"),
        key_of(1, salt=b"s"),
        key_of(2, salt=b"s", document="a"),
    ]
    for key in keys:
        any_tier.put(key, stored_of(1))
    assert (any_tier.delete(keys[0]), any_tier.delete(keys[0])) == (True, False)
    assert any_tier.delete_scope(keys[1].scope, {keys[1].document, keys[3].document, "0" * 64}) == 3
    assert [any_tier.get(key) is not None for key in keys] == [False] * 4 + [True] * 3
    assert any_tier.delete_scope(keys[5].scope) == 2
    assert [any_tier.get(key) is not None for key in keys] == [False] * 4 + [True] + [False] * 2


# memory and disk: the books


def test_what_is_larger_than_the_budget_is_refused(make_tier):
    tier = make_tier(1)
    tier.put(key_of(1), stored_of(1))
    tier.put(key_of(2), stored_of(2, tokens=500))
    assert tier.get(key_of(2)) is None
    assert tier.get(key_of(1)) is not None
    assert tier.stats().refused == 1


def test_there_is_room_until_something_has_to_go(make_tier):
    tier = make_tier(2)
    assert tier.room(BLOCK)
    tier.put(key_of(1), stored_of(1))
    assert tier.room(BLOCK)
    tier.put(key_of(2), stored_of(2))
    assert not tier.room(BLOCK)


@pytest.mark.parametrize("eviction", ["lru", "lfu", "gdsf"])
def test_budgets_hold_under_sixteen_concurrent_writers(make_tier, tmp_path, eviction):
    tier = make_tier(5, eviction)
    over: list[int] = []

    def work(worker: int) -> None:
        for number in range(12):
            tier.put(key_of(worker, number % 7), stored_of(worker * 100 + number % 7))
            tier.get(key_of((worker + 1) % 16, number % 7))
            with tier._lock:  # nothing goes while it is counted
                on_disk = sum(size_of(path) for path in tmp_path.rglob("*") if path.suffix)
            if max(tier.stats().bytes, on_disk) > tier.stats().capacity_bytes:
                over.append(on_disk)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert not over
    stats = tier.stats()
    assert stats.bytes <= stats.capacity_bytes
    assert stats.blocks > 0
    if files := list(tmp_path.rglob("*.safetensors")):
        assert stats.bytes == sum(size_of(path) for path in files)


# damage


@ANY_BYTE
def test_a_changed_byte_never_gives_another_block(place, change):
    data = bytearray(block_to_bytes(key_of(1), stored_of(1)))
    data[place] ^= change
    try:
        found = block_from_bytes(key_of(1), bytes(data))
    except CorruptBlock:
        return
    assert same_stored(found, stored_of(1))  # a byte that means nothing, such as padding of the header


@KEEP_FIXTURE
@ANY_BYTE
def test_a_changed_byte_on_disk_is_a_miss(tmp_path, place, change):
    tier = DiskTier(tmp_path, 10**6)
    tier.put(key_of(1), stored_of(1))
    path = tier._path(key_of(1))
    assert tier.get(key_of(1)) is not None
    data = bytearray(path.read_bytes())
    data[place] ^= change
    path.write_bytes(data)
    found = tier.get(key_of(1))
    assert (found is None and not path.exists()) or same_stored(found, stored_of(1))
    if place >= FILE - BLOCK:
        assert found is None
    tier.delete(key_of(1))


@KEEP_FIXTURE
@ANY_BYTE
def test_a_changed_byte_in_redis_is_a_miss(make_redis, place, change):
    tier = make_redis()
    tier.put(key_of(1), stored_of(1))
    with redis.Redis.from_url(REDIS) as client:
        data = bytearray(client.get(tier._place(key_of(1))))
        data[place] ^= change
        client.set(tier._place(key_of(1)), bytes(data))
        found = tier.get(key_of(1))
        gone = client.get(tier._place(key_of(1))) is None
    assert (found is None and gone) or same_stored(found, stored_of(1))
    if place >= FILE - BLOCK:
        assert found is None
    tier.delete(key_of(1))
    tier.close()


def test_a_cut_an_empty_and_a_moved_file_are_misses_and_gone(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    for number, damage in enumerate((lambda d: d[:-1], lambda d: d[:40], lambda d: b"")):
        tier.put(key_of(number), stored_of(number))
        path = tier._path(key_of(number))
        path.write_bytes(damage(path.read_bytes()))
        assert tier.get(key_of(number)) is None
        assert not path.exists()
    tier.put(key_of(7), stored_of(7))
    tier._path(key_of(7)).rename(tier._path(key_of(8)))
    assert tier.get(key_of(8)) is None
    assert tier.get(key_of(7)) is None
    assert (tier.stats().corrupt, tier.stats().blocks, tier.stats().bytes) == (4, 0, 0)
    tier.put(key_of(7), stored_of(7))
    assert same_stored(tier.get(key_of(7)), stored_of(7))


# the disk tier


def test_a_file_that_goes_before_its_writer_enters_it_is_not_in_the_books(tmp_path, monkeypatch):
    tier = DiskTier(tmp_path, 5 * BLOCK)
    write = DiskTier._write

    def written_read_and_deleted(self, path, data):
        write(self, path, data)
        assert tier.get(key_of(1)) is not None
        assert tier.delete(key_of(1))

    monkeypatch.setattr(DiskTier, "_write", written_read_and_deleted)
    tier.put(key_of(1), stored_of(1))
    assert (tier.stats().bytes, tier.stats().blocks) == (0, 0)


def test_blocks_are_mapped_and_outlive_their_file(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    tier.put(key_of(1), stored_of(1))
    block = tier.get(key_of(1))
    assert block.mapped
    assert not block.copied().mapped
    tier.delete(key_of(1))
    assert same_stored(block, stored_of(1))


@pytest.mark.process
def test_killed_between_write_and_rename_leaves_nothing_to_be_found(tmp_path):
    def child() -> None:
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        DiskTier(tmp_path, 10**6).put(key_of(1), stored_of(1))

    assert in_child(child) == -signal.SIGKILL
    (left,) = tmp_path.rglob("*.tmp")
    tier = DiskTier(tmp_path, 10**6)
    assert tier.get(key_of(1)) is None
    assert tier.stats().bytes == tier.stats().blocks == 0
    tier.put(key_of(1), stored_of(1))
    assert same_stored(tier.get(key_of(1)), stored_of(1))
    assert left.exists()  # it may be another process's, still at work
    os.utime(left, (time.time() - 3600,) * 2)
    DiskTier(tmp_path, 10**6)
    assert not left.exists()


def test_a_restart_rebuilds_the_books_and_the_order_of_use(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    for number in range(4):
        tier.put(key_of(number), stored_of(number))
        os.utime(tier._path(key_of(number)), (number, number))
    tier.get(key_of(0))
    again = DiskTier(tmp_path, 10**6)
    assert again.stats().bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert again.stats().blocks == 4
    smaller = DiskTier(tmp_path, 2 * FILE, "lru")
    assert smaller.stats().evictions == 2
    assert [smaller.get(key_of(number)) is not None for number in range(4)] == [True, False, False, True]


def test_a_restart_knows_what_blocks_cost(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    for number, seconds in enumerate((9.0, 1.0, 5.0)):
        tier.put(key_of(number), stored_of(number, seconds=seconds))
    smaller = DiskTier(tmp_path, 2 * FILE, "gdsf")
    assert [smaller.get(key_of(number)) is not None for number in range(3)] == [True, False, True]


def test_processes_may_share_a_directory_and_its_budget(tmp_path):
    one, two = DiskTier(tmp_path, 10 * FILE), DiskTier(tmp_path, 10 * FILE)
    one.put(key_of(1), stored_of(1))
    assert same_stored(two.get(key_of(1)), stored_of(1))
    assert two.stats().bytes == FILE
    two.delete(key_of(1))
    assert one.get(key_of(1)) is None
    assert one.stats().bytes == 0
    for number in range(8):
        one.put(key_of(1, number), stored_of(1))
        two.put(key_of(2, number), stored_of(1))
    assert sum(size_of(path) for path in tmp_path.rglob("*.safetensors")) <= 10 * FILE


def test_what_no_block_is_goes_at_the_next_start(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    tier.put(key_of(1, document="a"), stored_of(1))
    tier.put(key_of(1, document="b"), stored_of(1))
    old = tier._path(key_of(1, document="a")).parents[1] / "of-an-older-layout.safetensors"
    old.write_bytes(b"x")
    tier.delete(key_of(1, document="b"))
    DiskTier(tmp_path, 10**6)
    assert not old.exists()
    assert [path.name for path in tmp_path.glob("*/*/*")] == [key_of(1, document="a").document]
    tier.delete_scope(key_of(1).scope)
    assert not list(tmp_path.glob("*/*/*"))


# the Redis tier


def test_processes_share_what_is_in_redis_until_its_time_is_over(make_redis):
    one, two = make_redis(), make_redis()
    one.put(key_of(1), stored_of(1))
    assert same_stored(two.get(key_of(1)), stored_of(1))
    with redis.Redis.from_url(REDIS) as client:
        place = one._place(key_of(1))
        assert 0 < client.ttl(place) <= 60
        client.expire(place, 1)
        two.get(key_of(1))
        assert client.ttl(place) > 30  # a use begins its time anew
        client.pexpire(place, 1)
        time.sleep(0.01)
    assert two.get(key_of(1)) is None


def test_a_value_too_large_for_redis_is_refused(make_redis):
    tier = make_redis(largest_bytes=FILE)
    tier.put(key_of(1), stored_of(1, tokens=30))
    tier.put(key_of(2), stored_of(2))
    assert tier.get(key_of(1)) is None
    assert tier.get(key_of(2)) is not None
    assert tier.stats().refused == 1


def test_a_block_that_redis_has_is_not_sent_again(make_redis):
    one, two = make_redis(), make_redis()
    one.put(key_of(1), stored_of(1))
    two.put(key_of(1), stored_of(1))
    assert (one.stats().blocks, two.stats().blocks) == (1, 0)
