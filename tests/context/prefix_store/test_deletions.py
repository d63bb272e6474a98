"""What one process deletes, the others forget: over one directory, and over one Redis."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from context.prefix_store import PrefixStore, RedisTier
from context.prefix_store.deletion_log import FileLog, Listener
from context.prefix_store.deletions import EVERYTHING, Deletion
from tests.support.context_blocks import REDIS, block_of, cache, cached, key_of, maker, never

A, B = key_of(1, document="a"), key_of(2, document="b")
GONE = Deletion(A.scope, frozenset({A.document}))


@pytest.fixture(params=["disk", "directory", pytest.param("redis", marks=pytest.mark.process)])
def pair(request, make_store, tmp_path):
    """Two stores that share something, with both blocks in both memories."""

    def make():
        if request.param == "redis":
            store = make_store(10**6, redis=request.getfixturevalue("make_redis")())
            store._listeners[0]._log.interval_s = 0.0
            return store
        return make_store(10**6, tmp_path, 10**6 if request.param == "disk" else 0)

    stores = make(), make()
    for store in stores:
        store.fetch([A, B], maker([]))
        store.flush()
    return stores


def test_a_deletion_reaches_the_other_memory(pair):
    here, there = pair
    here.delete_documents(b"", ["a"])
    calls: list[list[int]] = []
    assert there.fetch([A, B], maker(calls)).cached == (False, True)
    assert calls == [[0]]
    assert there.fetch([A, B], never).cached == (True, True)  # heard once
    there.delete_salt(b"")
    assert cached(here, A) is cached(here, B) is None


def test_a_process_does_not_listen_to_itself(pair):
    here, _ = pair
    here.delete_documents(b"", ["a"])
    here.fetch([A], maker([]))
    assert here.fetch([A], never).cached == (True,)


def test_what_is_being_made_elsewhere_is_not_kept(pair):
    here, there = pair

    def make(places):
        here.delete_documents(b"", ["c"])
        return maker([])(places)

    fresh = key_of(3, document="c")
    there.fetch([fresh], make)
    there.flush()
    assert cached(there, fresh) is cached(here, fresh) is None


def test_what_was_written_while_it_was_deleted_is_taken_out_again(make_store, tmp_path, monkeypatch):
    here, there = make_store(10**6, tmp_path, 10**6), make_store(10**6, tmp_path, 10**6)
    disk = there._tiers[1]
    put = disk.put

    def late(key, block):
        here.delete_documents(b"", ["a"])
        put(key, block)

    monkeypatch.setattr(disk, "put", late)
    cache(there, A, block_of(1))
    there.flush()
    assert not list(tmp_path.rglob("*.safetensors"))


def _other_process(store: PrefixStore, pipe) -> None:
    store.fetch([A, B], maker([]))
    store.flush()
    pipe.send("ready")
    pipe.recv()
    pipe.send([cached(store, key) is not None for key in (A, B)])
    store.close()


def _over_directory(directory: Path, pipe) -> None:
    _other_process(PrefixStore(10**6, directory, 10**6), pipe)


def _over_redis(name: str, pipe) -> None:
    store = PrefixStore(10**6, redis=RedisTier(REDIS, secret=b"s" * 32, name=name, ttl_s=60, timeout_s=5))
    store._listeners[0]._log.interval_s = 0.0
    _other_process(store, pipe)


@pytest.mark.process
@pytest.mark.parametrize("shared", ["directory", "redis"])
def test_another_process_forgets(shared, request, make_store, tmp_path):
    if shared == "directory":
        store, work, over = make_store(10**6, tmp_path, 10**6), _over_directory, tmp_path
    else:
        tier = request.getfixturevalue("make_redis")()
        store, work, over = make_store(10**6, redis=tier), _over_redis, tier._name
    processes = multiprocessing.get_context("spawn")
    mine, its = processes.Pipe()
    other = processes.Process(target=work, args=(over, its))
    other.start()
    try:
        assert mine.poll(60)
        assert mine.recv() == "ready"
        store.delete_documents(b"", ["a"])
        mine.send("go on")
        assert mine.poll(60)
        assert mine.recv() == [False, True]
    finally:
        other.join(60)
        other.kill()
    assert other.exitcode == 0


# the file


def test_a_new_log_begins_with_what_comes(tmp_path):
    first = FileLog(tmp_path / "log")
    first.tell(GONE)
    late = FileLog(tmp_path / "log")
    assert late.news() == first.news() == []
    first.tell(EVERYTHING)
    first.tell(GONE)
    assert late.news() == [EVERYTHING, GONE]
    assert late.news() == []


def test_a_log_that_was_begun_anew_tells_that_something_may_be_lost(tmp_path):
    writer, reader, slow = (FileLog(tmp_path / "log", largest_bytes=2000) for _ in range(3))
    told = []
    for number in range(50):
        writer.tell(Deletion(str(number)))
        told += reader.news()
        assert (tmp_path / "log").stat().st_size <= 2000
    # The record that begins a file anew is the only one that is not told as itself.
    assert [one for at, one in enumerate(told) if one not in (Deletion(str(at)), EVERYTHING)] == []
    assert 0 < told.count(EVERYTHING) < 10
    assert slow.news() == [EVERYTHING]
    (tmp_path / "log").unlink()
    assert slow.news() == [EVERYTHING]
    writer.tell(GONE)
    assert slow.news() == [GONE]


def test_a_record_that_was_cut_off_says_nothing_and_harms_no_other(tmp_path):
    writer, reader = FileLog(tmp_path / "log"), FileLog(tmp_path / "log")
    writer.tell(GONE)
    whole = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(whole + b'["someone",')
    assert reader.news() == [GONE]
    writer.tell(GONE)
    assert reader.news() == [EVERYTHING, GONE]


@pytest.mark.process
def test_processes_that_tell_at_once_lose_nothing(tmp_path):
    reader = FileLog(tmp_path / "log", largest_bytes=10**6)
    processes = multiprocessing.get_context("spawn")
    others = [processes.Process(target=_tell, args=(tmp_path / "log", who)) for who in "xy"]
    for one in others:
        one.start()
    for one in others:
        one.join(60)
    assert {deletion.scope for deletion in reader.news()} == {f"{who}{n}" for who in "xy" for n in range(200)}


def _tell(path: Path, who: str) -> None:
    log = FileLog(path, largest_bytes=10**6)
    for number in range(200):
        log.tell(Deletion(f"{who}{number}"))


# Redis


def test_a_stream_that_lost_records_says_so(make_redis):
    tier, other = make_redis(), make_redis()
    here, there = tier.deletion_log(), other.deletion_log()
    assert here.news() == there.news() == [EVERYTHING]
    here.tell(GONE)
    assert there.news() == [GONE]
    assert here.news() == there.news() == []
    tier._redis.delete(f"{tier._name}:deletions")
    here.tell(GONE)
    assert there.news() == [EVERYTHING]
    here.tell(GONE)
    assert there.news() == [GONE]


def test_a_stream_begun_anew_with_the_same_number_is_another(make_redis):
    tier, other = make_redis(), make_redis()
    there = other.deletion_log()
    there.news()
    stream = f"{tier._name}:deletions"
    ((number, entry),) = tier._redis.xrange(stream)
    tier._redis.delete(stream)
    tier._redis.xadd(stream, entry | {b"mark": b"another"}, id=number)
    assert there.news() == [EVERYTHING]


def test_a_deletion_while_redis_is_dead_is_told_when_it_is_back(make_redis):
    tier, other = make_redis(), make_redis()
    clock = [0.0]
    here, there = (Listener(one.deletion_log(), clock=lambda: clock[0]) for one in (tier, other))
    assert there.news() == here.news() == [EVERYTHING]
    working = here._log._redis
    here._log._redis = RedisTier("redis://127.0.0.1:1/0", secret=b"s", timeout_s=0.1)._redis
    here.tell(GONE)
    clock[0] = 2.0
    assert there.news() == []
    here._log._redis = working
    assert here.news() == []
    clock[0] = 4.0
    assert there.news() == [GONE]


# what is owed


class Deaf:
    """A log that cannot be written until it is told that it can."""

    name, interval_s = "deaf", 1.0

    def __init__(self) -> None:
        self.works = False
        self.asked = 0
        self.told: list[Deletion] = []

    def tell(self, deletion):
        if not self.works:
            raise OSError("gone")
        self.told.append(deletion)

    def news(self):
        self.asked += 1
        return []


def test_what_is_owed_is_bounded_and_told_in_the_end(caplog):
    log, clock = Deaf(), [0.0]
    listener = Listener(log, clock=lambda: clock[0])
    for number in range(1500):
        listener.tell(Deletion(str(number)))
    assert caplog.text.count("cannot be shared") == 1
    log.works, clock[0] = True, 100.0
    listener.news()
    assert log.told[0] == EVERYTHING
    assert len(log.told) == 500


def test_it_is_asked_once_an_interval_unless_it_has_to_be_now():
    log, clock = Deaf(), [0.0]
    listener = Listener(log, clock=lambda: clock[0])
    for _ in range(10):
        listener.news()
    assert log.asked == 1
    listener.news(now=True)
    clock[0] = 1.5
    listener.news()
    assert log.asked == 3


def test_many_documents_at_once_are_told_as_their_scope():
    log = Deaf()
    log.works = True
    Listener(log).tell(Deletion("s", frozenset(map(str, range(1001)))))
    assert log.told == [Deletion("s")]
