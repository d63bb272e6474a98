"""Keys, tiers and the store over them: what is found, what is not, and what a failure costs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from context_blocks import NAMESPACE, block_of, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from context.blocks import Block
from context.prefix_store import DiskTier, Keys, MemoryTier, PrefixStore
from context.prefix_store.block_file import CorruptBlock, block_from_bytes, block_to_bytes
from context.prefix_store.key import digest_of

BLOCK = block_of(0).nbytes
FILE = len(block_to_bytes(key_of(1), block_of(1)))


ROOT = Path(__file__).parents[2]


def in_child(work) -> int:
    """The exit status of `work` in a process of its own."""
    if (child := os.fork()) == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def same(a: Block | None, b: Block) -> bool:
    return (
        a is not None
        and a.keys.dtype == b.keys.dtype
        and torch.equal(a.keys, b.keys)
        and torch.equal(a.values, b.values)
    )


# keys


def test_every_field_of_the_namespace_changes_the_key():
    seen = {key_of(1, 2)}
    for field in fields(NAMESPACE):
        value = getattr(NAMESPACE, field.name)
        other = replace(NAMESPACE, **{field.name: value + 1 if isinstance(value, int) else value + "x"})
        seen.add(key_of(1, 2, namespace=other))
    assert (
        len({key.block for key in seen}) == len({key.namespace for key in seen}) == len(fields(NAMESPACE)) + 1
    )


def test_salt_prefix_and_passage_change_the_key():
    keys = {
        key_of(1, 2),
        key_of(1, 2, salt=b"a"),
        key_of(1, 2, salt=b"b"),
        key_of(1),
        key_of(12),
        Keys(NAMESPACE, b"", [1]).key([2, 1, 2]),
        Keys(NAMESPACE, b"", [1, 2, 1]).key([2]),
        Keys(NAMESPACE, b"", []).key([1, 2, 1, 2]),
    }
    assert len({key.block for key in keys}) == 8


def test_the_key_is_the_same_in_every_process():
    program = (
        "import sys; sys.path.insert(0, 'context/prefix_store'); from key import Keys, Namespace;"
        "n = Namespace(model='m:float32:0', tokenizer='t', layers=2, kv_heads=1, head_dim=4, rope='{}', dtype='float32');"
        "print(Keys(n, b'salt', [1, 2]).key([3, 70000]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {str(key_of(3, 70000, salt=b"salt"))}


VALUES = st.one_of(
    st.text(max_size=4), st.integers(0, 9), st.binary(max_size=4), st.lists(st.integers(0, 300), max_size=3)
)


@given(*[st.dictionaries(st.text(max_size=3), VALUES, max_size=3)] * 2)
def test_different_fields_never_encode_alike(a, b):
    assert (digest_of(a) == digest_of(b)) == (
        repr(sorted(a.items(), key=str)) == repr(sorted(b.items(), key=str))
    )


# files


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_stored_block_comes_back_bit_for_bit(tmp_path, dtype):
    block = block_of(3, 5, dtype)
    DiskTier(tmp_path, 10**6).put(key_of(1), block)
    assert same(DiskTier(tmp_path, 10**6).get(key_of(1)), block)


@settings(deadline=None)
@given(st.integers(0, FILE - 1), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_block(place, change):
    data = bytearray(block_to_bytes(key_of(1), block_of(1)))
    data[place] ^= change
    try:
        found = block_from_bytes(key_of(1), bytes(data))
    except CorruptBlock:
        return
    assert same(found, block_of(1))  # a byte that means nothing, such as padding of the header


def test_a_flipped_byte_a_cut_file_and_a_moved_file_are_misses_and_gone(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    for number, damage in enumerate((lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: d[:40], lambda d: b"")):
        tier.put(key_of(number), block_of(number))
        path = tier._path(key_of(number))
        path.write_bytes(damage(path.read_bytes()))
        assert tier.get(key_of(number)) is None
        assert not path.exists()
    tier.put(key_of(7), block_of(7))
    tier._path(key_of(7)).rename(tier._path(key_of(8)))
    assert tier.get(key_of(8)) is None
    assert tier.get(key_of(7)) is None
    assert (tier.stats().corrupt, tier.stats().blocks, tier.stats().bytes) == (4, 0, 0)
    tier.put(key_of(7), block_of(7))
    assert same(tier.get(key_of(7)), block_of(7))


# the disk tier


def test_a_crash_between_write_and_rename_leaves_nothing_behind(tmp_path):
    def child() -> None:
        Path.replace = lambda *_: os._exit(9)
        DiskTier(tmp_path, 10**6).put(key_of(1), block_of(1))

    assert in_child(child) == 9
    (left,) = tmp_path.rglob("*.tmp")
    tier = DiskTier(tmp_path, 10**6)
    assert tier.get(key_of(1)) is None
    assert tier.stats().bytes == tier.stats().blocks == 0
    assert left.exists()  # it may be another process's, still at work
    os.utime(left, (time.time() - 3600,) * 2)
    DiskTier(tmp_path, 10**6)
    assert not left.exists()


def test_a_restart_rebuilds_the_books_and_the_order_of_use(tmp_path):
    tier = DiskTier(tmp_path, 10**6)
    for number in range(4):
        tier.put(key_of(number), block_of(number))
        os.utime(tier._path(key_of(number)), (number, number))
    tier.get(key_of(0))
    again = DiskTier(tmp_path, 10**6)
    assert again.stats().bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert again.stats().blocks == 4
    smaller = DiskTier(tmp_path, 2 * FILE)
    assert smaller.stats().evictions == 2
    assert [smaller.get(key_of(number)) is not None for number in range(4)] == [True, False, False, True]


def test_processes_may_share_a_directory(tmp_path):
    one, two = DiskTier(tmp_path, 10**6), DiskTier(tmp_path, 10**6)
    one.put(key_of(1), block_of(1))
    assert same(two.get(key_of(1)), block_of(1))
    assert two.stats().bytes == FILE
    two.delete(key_of(1))
    assert one.get(key_of(1)) is None
    assert one.stats().bytes == 0


# both tiers


@pytest.fixture(params=["memory", "disk"])
def make_tier(request, tmp_path):
    size = BLOCK if request.param == "memory" else FILE
    return lambda blocks: (
        MemoryTier(blocks * size) if request.param == "memory" else DiskTier(tmp_path, blocks * size)
    )


def test_the_least_recently_used_goes_first(make_tier):
    tier = make_tier(2)
    for number in (1, 2):
        tier.put(key_of(number), block_of(number))
    tier.get(key_of(1))
    tier.put(key_of(3), block_of(3))
    assert [tier.get(key_of(number)) is not None for number in (1, 2, 3)] == [True, False, True]
    stats = tier.stats()
    assert (stats.evictions, stats.hits, stats.misses, stats.blocks) == (1, 3, 1, 2)
    assert stats.bytes == stats.capacity_bytes


def test_what_is_larger_than_the_budget_is_refused(make_tier):
    tier = make_tier(1)
    tier.put(key_of(1), block_of(1))
    tier.put(key_of(2), block_of(2, tokens=500))
    assert tier.get(key_of(2)) is None
    assert tier.get(key_of(1)) is not None
    assert tier.stats().refused == 1


def test_budgets_hold_under_concurrent_puts(make_tier, tmp_path):
    tier = make_tier(5)
    over: list[int] = []

    def work(worker: int) -> None:
        for number in range(12):
            key = key_of(worker, number % 7)
            tier.put(key, block_of(worker * 100 + number % 7))
            tier.get(key_of((worker + 1) % 16, number % 7))
            on_disk = sum(size_of(path) for path in tmp_path.rglob("*") if path.suffix)
            if max(tier.stats().bytes, on_disk) > tier.stats().capacity_bytes:
                over.append(on_disk)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert not over
    stats = tier.stats()
    assert stats.bytes <= stats.capacity_bytes
    if list(tmp_path.rglob("*.safetensors")):
        assert stats.bytes == sum(size_of(path) for path in tmp_path.rglob("*.safetensors"))


def size_of(path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_deleting_by_key_and_by_salt(make_tier):
    tier = make_tier(9)
    keys = [key_of(1), key_of(2), key_of(1, salt=b"a"), key_of(2, salt=b"a")]
    for key in keys:
        tier.put(key, block_of(1))
    assert (tier.delete(keys[0]), tier.delete(keys[0])) == (True, False)
    assert tier.delete_scope(keys[2].scope) == 2
    assert [tier.get(key) is not None for key in keys] == [False, True, False, False]
    assert tier.stats().blocks == 1


# the store


def never(_):
    raise AssertionError("nothing should be made")


def maker(calls):
    def make(places):
        calls.append(list(places))
        return [block_of(at) for at in places]

    return make


def test_fetch_makes_what_is_missing_once_and_finds_it_again(tmp_path):
    calls: list[list[int]] = []
    store = PrefixStore(10**6, tmp_path, 10**6)
    keys = [key_of(0), key_of(1), key_of(0)]
    first = store.fetch(keys, maker(calls))
    assert calls == [[0, 1]]
    assert first.cached == (False, False, False)
    second = store.fetch([*keys, key_of(3)], maker(calls))
    assert calls == [[0, 1], [3]]
    assert second.cached == (True, True, True, False)
    assert second.blocks[0] is first.blocks[0]
    assert store.fetch([], never).blocks == ()
    store.close()
    restarted = PrefixStore(10**6, tmp_path, 10**6)
    third = restarted.fetch(keys, never)
    assert all(same(a, b) for a, b in zip(third.blocks, first.blocks, strict=True))
    assert restarted.get(key_of(0)) is third.blocks[0]  # moved up into memory
    memory, disk = restarted.stats().tiers
    assert (memory.blocks, disk.blocks, disk.hits) == (2, 3, 2)
    restarted.close()


def test_without_room_in_memory_the_disk_serves(tmp_path):
    store = PrefixStore(0, tmp_path, 10**6)
    store.put(key_of(1), block_of(1))
    store.flush()
    assert same(store.get(key_of(1)), block_of(1))
    assert store.stats().tiers[0].bytes == 0
    store.close()


def test_salts_never_share(tmp_path):
    store = PrefixStore(10**6, tmp_path, 10**6)
    calls: list[list[int]] = []
    for salt in (b"a", b"b"):
        assert store.fetch([key_of(1, salt=salt)], maker(calls)).cached == (False,)
    assert len(calls) == 2
    assert store.delete_salt(b"a") == 1
    assert store.get(key_of(1, salt=b"a")) is None
    assert store.get(key_of(1, salt=b"b")) is not None
    assert store.delete([key_of(1, salt=b"b"), key_of(9)]) == 1
    store.close()


def test_requests_for_the_same_block_make_it_once():
    store = PrefixStore(10**6)
    calls: list[list[int]] = []
    started, go = threading.Event(), threading.Event()

    def slow(places):
        started.set()
        go.wait(5)
        return maker(calls)(places)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(store.fetch, [key_of(1), key_of(2)], slow)
        started.wait(5)
        others = [pool.submit(store.fetch, [key_of(2), key_of(1)], never) for _ in range(6)]
        time.sleep(0.05)
        go.set()
        assert all(other.result(5).blocks == first.result(5).blocks[::-1] for other in others)
    assert calls == [[0, 1]]
    assert store.stats().encoded == 2
    assert store.stats().shared <= 12
    store.close()


def test_crossing_requests_do_not_wait_for_each_other_for_ever():
    store = PrefixStore(10**6)
    calls: list[list[int]] = []
    keys = [key_of(number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(store.fetch, keys[n:] + keys[:n], maker(calls)) for n in range(16)]
        assert all(len(run.result(10).blocks) == 20 for run in runs)
    assert sum(map(len, calls)) == 20
    store.close()


def test_a_failed_encoding_is_raised_and_the_next_request_tries_again():
    store = PrefixStore(10**6)
    started = threading.Event()

    def broken(_):
        started.set()
        time.sleep(0.05)
        raise RuntimeError("out of memory")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.fetch, [key_of(1)], broken)
        started.wait(5)
        second = pool.submit(store.fetch, [key_of(1)], maker([]))
        with pytest.raises(RuntimeError, match="out of memory"):
            first.result(5)
        assert second.result(5).cached == (False,)
    store.close()


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
    for _ in range(2):
        assert store.fetch([key_of(1)], maker(calls)).cached == (False,)
        store.flush()
    assert len(calls) == 2
    assert store.stats().errors >= 2
    assert store.stats().tiers[1].bytes == 0
    store.close()


def test_a_full_disk_degrades_to_encoding(tmp_path):
    """A file size limit makes the kernel refuse the write half-way, as a full disk does."""
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


def test_writes_that_do_not_fit_into_the_queue_are_left_out(tmp_path):
    store = PrefixStore(10**6, tmp_path, 10**6, pending_bytes=BLOCK - 1)
    store.put(key_of(1), block_of(1))
    store.flush()
    assert store.get(key_of(1)) is not None
    assert store.stats().tiers[1].blocks == 0
    store.close()
    store.put(key_of(2), block_of(2))  # after closing, memory still serves
    assert store.get(key_of(2)) is not None


def test_other_models_blocks_can_be_cleared(tmp_path):
    store = PrefixStore(0, tmp_path, 10**6)
    other = replace(NAMESPACE, dtype="bfloat16")
    store.put(key_of(1), block_of(1))
    store.put(key_of(1, namespace=other), block_of(1))
    store.flush()
    assert store.delete_other_namespaces(other.digest()) == 1
    assert store.get(key_of(1)) is None
    assert store.get(key_of(1, namespace=other)) is not None
    store.close()
