"""The store over its tiers: what is found, made once, kept, moved up, shared and deleted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from context.prefix_store import PrefixStore, pack
from context.prefix_store.deletions import Deletion, Deletions
from tests.support.context_blocks import BLOCK, NAMESPACE, block_of, cache, cached, key_of, maker, never, same


def test_fetch_makes_what_is_missing_once_and_finds_it_again(make_store, tmp_path):
    calls: list[list[int]] = []
    store = make_store(10**6, tmp_path, 10**6)
    keys = [key_of(0), key_of(1), key_of(0)]
    first = store.fetch(keys, maker(calls))
    assert calls == [[0, 1]]
    assert first.cached == (False, False, False)
    second = store.fetch([*keys, key_of(3)], maker(calls))
    assert calls == [[0, 1], [3]]
    assert second.cached == (True, True, True, False)
    assert second.blocks[0].keys is first.blocks[0].keys
    assert store.fetch([], never).blocks == ()
    store.close()
    restarted = make_store(10**6, tmp_path, 10**6)
    third = restarted.fetch(keys, never)
    assert all(same(a, b) for a, b in zip(third.blocks, first.blocks, strict=True))
    restarted.flush()
    memory, disk = restarted.stats().tiers
    assert (memory.blocks, disk.blocks, disk.hits) == (2, 3, 2)  # moved up into memory
    assert same(cached(restarted, key_of(0)), first.blocks[0])
    assert restarted.stats().tiers[1].hits == 2


def test_what_moved_up_into_memory_is_no_longer_the_file(make_store, tmp_path):
    first = make_store(0, tmp_path, 10**6)
    cache(first, key_of(1), block_of(1))
    first.flush()  # what is written later is not looked for by a store that is open
    store = make_store(10**6, tmp_path, 10**6)
    assert cached(store, key_of(1)) is not None
    store.flush()
    for tier in store._tiers:
        assert tier.get(key_of(1)).mapped == (tier is not store._tiers[0])


def test_without_room_in_memory_the_disk_serves(make_store, tmp_path):
    store = make_store(0, tmp_path, 10**6)
    cache(store, key_of(1), block_of(1))
    store.flush()
    assert same(cached(store, key_of(1)), block_of(1))
    assert store.stats().tiers[0].bytes == 0


def test_other_processes_find_in_redis_what_this_one_made(make_store, make_redis, tmp_path):
    one = make_store(10**6, redis=make_redis(), admission="always")
    made = one.fetch([key_of(1), key_of(2)], maker([]))
    one.flush()
    two = make_store(10**6, tmp_path, 10**6, redis=make_redis())
    found = two.fetch([key_of(1), key_of(2)], never)
    assert all(same(a, b) for a, b in zip(found.blocks, made.blocks, strict=True))
    two.flush()
    assert [tier.blocks for tier in two.stats().tiers] == [2, 2, 0]  # moved up through both
    assert two.delete_documents(b"", [""]) == 2
    assert cached(one, key_of(1)) is not None  # its own memory is its own
    three = make_store(10**6, redis=make_redis())
    assert cached(three, key_of(1)) is None


def test_time_spent_and_time_saved_are_counted(make_store):
    store = make_store(10**6)

    def slow(places):
        time.sleep(0.03)
        return [block_of(at, tokens=3 * (at + 1)) for at in places]

    keys = [key_of(0), key_of(1)]
    store.fetch(keys, slow)
    spent = store.stats().encode_s
    assert spent >= 0.03
    store.fetch(keys, never)
    assert store.stats().tiers[0].saved_s == pytest.approx(spent)
    store.fetch(keys[:1], never)
    assert store.stats().tiers[0].saved_s == pytest.approx(spent * 4 / 3)  # by tokens


# who shares


def test_salts_never_share(make_store, tmp_path):
    store = make_store(10**6, tmp_path, 10**6)
    calls: list[list[int]] = []
    for salt in (b"a", b"b"):
        assert store.fetch([key_of(1, salt=salt)], maker(calls)).cached == (False,)
    assert len(calls) == 2
    assert store.delete_salt(b"a") == 1
    assert cached(store, key_of(1, salt=b"a")) is None
    assert cached(store, key_of(1, salt=b"b")) is not None
    assert store.delete([key_of(1, salt=b"b"), key_of(9)]) == 1


@pytest.mark.parametrize("admission", ["room", "second-use", "always"])
def test_anothers_passage_takes_the_same_steps_as_an_unknown_one(make_store, make_redis, tmp_path, admission):
    """No timing can tell them apart: every call of every tier, and every note kept, is the same."""
    store = make_store(10 * BLOCK, tmp_path, 10**6, redis=make_redis(), admission=admission)
    for _ in range(3):
        store.fetch([key_of(1, salt=b"a")], maker([]))
    store.flush()
    steps: list[str] = []

    def watched(owner: object, name: str, method: str) -> None:
        inner = getattr(owner, method)

        def call(*arguments):
            result = inner(*arguments)
            steps.append(f"{name}.{method} {type(result).__name__} {result if result is True else ''}")
            return result

        setattr(owner, method, call)

    for tier in store._tiers:
        for method in ("get", "put", "room"):
            watched(tier, tier.stats().name, method)
    for owner, method in ((store._seen, "take"), (store._seen, "note"), (store._flights, "claim")):
        watched(owner, type(owner).__name__, method)

    def steps_for(passage: int, salt: bytes) -> list[list[str]]:
        rounds = []
        for _ in range(3):
            steps.clear()
            store.fetch([key_of(passage, salt=salt)], maker([]))
            store.flush()
            rounds.append(list(steps))
        return rounds

    of_another = steps_for(1, b"b")
    assert of_another == steps_for(2, b"b")
    assert "memory.get NoneType" in of_another[0][1]
    assert of_another != steps_for(1, b"a")  # its owner does hit


def test_a_flight_of_another_tenant_is_not_waited_for(make_store):
    store = make_store(10**6)
    started, go = threading.Event(), threading.Event()

    def slow(places):
        started.set()
        go.wait(5)
        return maker([])(places)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(store.fetch, [key_of(1, salt=b"a")], slow)
        started.wait(5)
        assert store.fetch([key_of(1, salt=b"b")], maker([])).cached == (False,)
        assert not first.done()
        go.set()
        first.result(5)


# single flight


def test_requests_for_the_same_block_make_it_once(make_store):
    store = make_store(10**6)
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
        blocks = first.result(5).blocks
        for other in others:
            assert [block.keys for block in other.result(5).blocks] == [blocks[1].keys, blocks[0].keys]
    assert calls == [[0, 1]]
    assert store.stats().encoded == 2
    assert store.stats().shared <= 12


def test_crossing_requests_do_not_wait_for_each_other_for_ever(make_store):
    store = make_store(10**6)
    calls: list[list[int]] = []
    keys = [key_of(number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(store.fetch, keys[n:] + keys[:n], maker(calls)) for n in range(16)]
        assert all(len(run.result(10).blocks) == 20 for run in runs)
    assert sum(map(len, calls)) == 20


def test_a_failed_encoding_is_raised_and_the_next_request_tries_again(make_store):
    store = make_store(10**6)
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


# what is kept


def cached_after(store: PrefixStore, *passages: int) -> list[bool]:
    """Whether each use of a passage, one after the other, found it."""
    found = []
    for passage in passages:
        found += store.fetch([key_of(passage)], maker([])).cached
        store.flush()
    return found


def test_a_full_store_keeps_from_the_second_use_on(make_store):
    store = make_store(2 * BLOCK)
    assert cached_after(store, 1, 2, 1, 2) == [False, False, True, True]
    assert cached_after(store, 3, 4, 1, 2) == [False, False, True, True]  # wanted once: nothing goes
    assert cached_after(store, 3, 3) == [False, True]
    assert store.stats().tiers[0].evictions == 1


@pytest.mark.parametrize(
    ("admission", "found"),
    [("room", [False, True, True]), ("second-use", [False, False, True]), ("always", [False, True, True])],
)
def test_admission_decides_about_the_first_use(make_store, tmp_path, admission, found):
    store = make_store(10**6, tmp_path, 10**6, admission=admission)
    assert cached_after(store, 1, 1, 1) == found
    assert [tier.blocks for tier in store.stats().tiers] == [1, 1]


def test_always_lets_others_go(make_store):
    store = make_store(2 * BLOCK, admission="always", eviction="lru")
    assert cached_after(store, 1, 2, 3, 3, 1) == [False, False, False, True, False]


def test_what_is_to_be_kept_is_kept_at_once(make_store):
    store = make_store(2 * BLOCK, admission="second-use")
    store.fetch([key_of(1), key_of(2)], maker([]), keep=True)
    assert cached_after(store, 1, 2) == [True, True]
    store.fetch([key_of(3)], maker([]), keep=True)
    assert cached_after(store, 3) == [True]


def test_redis_gets_what_is_used_twice_though_memory_has_it(make_store, make_redis):
    store = make_store(10**6, redis=make_redis())
    assert cached_after(store, 1, 2, 1) == [False, False, True]
    assert store.stats().tiers[1].blocks == 1
    assert make_redis().get(key_of(1)) is not None
    assert make_redis().get(key_of(2)) is None


def test_a_block_that_two_requests_share_was_used_twice(make_store):
    store = make_store(10**6, admission="second-use")
    started, go = threading.Event(), threading.Event()

    def slow(places):
        started.set()
        go.wait(5)
        return maker([])(places)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.fetch, [key_of(1)], slow)
        started.wait(5)
        second = pool.submit(store.fetch, [key_of(1)], never)
        time.sleep(0.05)
        go.set()
        first.result(5), second.result(5)
    assert cached(store, key_of(1)) is not None


def test_room_is_told(make_store, make_redis, tmp_path):
    store = make_store(BLOCK, tmp_path, 10**6, redis=make_redis())
    cache(store, key_of(1), block_of(1))
    assert store.room(BLOCK)
    assert not make_store(BLOCK - 1, redis=make_redis()).room(BLOCK)


def test_writes_that_do_not_fit_into_the_queue_are_left_out(make_store, tmp_path):
    store = make_store(10**6, tmp_path, 10**6, pending_bytes=BLOCK - 1)
    cache(store, key_of(1), block_of(1))
    store.flush()
    assert cached(store, key_of(1)) is not None
    assert store.stats().tiers[1].blocks == 0
    store.close()
    cache(store, key_of(2), block_of(2))  # after closing, memory still serves
    assert cached(store, key_of(2)) is not None


# deleting


def test_documents_go_from_every_tier(make_store, make_redis, tmp_path):
    store = make_store(10**6, tmp_path, 10**6, redis=make_redis(), admission="always")
    keys = [key_of(n, document=d, salt=s) for n in (1, 2) for d in ("a", "b") for s in (b"x", b"y")]
    store.fetch(keys, maker([]))
    store.flush()
    assert store.delete_documents(b"x", ["a", "unknown"]) == 2
    for tier in store._tiers:
        assert [tier.get(key) is not None for key in keys] == [False, True, True, True] * 2


def test_what_is_being_made_while_its_document_goes_is_not_kept(make_store, tmp_path):
    store = make_store(10**6, tmp_path, 10**6)
    kept = key_of(2, document="b")

    def make(places):
        assert store.delete_documents(b"", ["a"]) == 0
        return maker([])(places)

    store.fetch([key_of(1, document="a"), kept], make)
    store.flush()
    assert cached(store, key_of(1, document="a")) is None
    assert cached(store, kept) is not None
    assert [tier.blocks for tier in store.stats().tiers] == [1, 1]


def test_deletions_long_ago_spare_nothing():
    deletions = Deletions(capacity=2)
    key = key_of(1, document="a")
    assert deletions.spare(key, 0)
    deletions.add(Deletion(key.scope, frozenset({"another"})))
    assert deletions.spare(key, 0)
    deletions.add(Deletion(key.scope, frozenset({key.document})))
    assert not deletions.spare(key, 1)
    assert deletions.spare(key, 2)
    deletions.add(Deletion("elsewhere"))
    assert not deletions.spare(key, 0)  # more than are remembered: nobody knows
    assert deletions.spare(key, 2)
    deletions.add(Deletion(key.scope))
    assert not deletions.spare(key, 3)


def test_other_models_blocks_can_be_cleared(make_store, tmp_path):
    store = make_store(0, tmp_path, 10**6)
    other = replace(NAMESPACE, dtype="bfloat16")
    cache(store, key_of(1), block_of(1))
    cache(store, key_of(1, namespace=other), block_of(1))
    store.flush()
    assert store.delete_other_namespaces(other.digest()) == 1
    assert cached(store, key_of(1)) is None
    assert cached(store, key_of(1, namespace=other)) is not None


@pytest.mark.parametrize("storage", ["bfloat16", "int8"])
def test_a_block_reads_alike_before_and_after_it_is_stored(make_store, tmp_path, storage):
    store = make_store(10**6, tmp_path, 10**6, storage=storage)
    first = store.fetch([key_of(1)], maker([])).blocks[0]
    assert not same(first, block_of(0))
    assert first.keys.dtype == block_of(0).keys.dtype
    assert same(store.fetch([key_of(1)], never).blocks[0], first)
    store.close()
    assert same(cached(make_store(10**6, tmp_path, 10**6, storage=storage), key_of(1)), first)
    assert store.stats().tiers[0].bytes == pack(block_of(0), storage).nbytes
