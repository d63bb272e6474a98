"""Live updates: added, replaced, deleted and merged while others search, and after 50 kills nothing is amiss."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from threadpoolctl import threadpool_limits

from retrieval import Collection, IndexSettings, MergePolicy
from tests.support import ROOT
from tests.support.fakes import TopicEncoder, topic_documents, topic_text
from tests.support.searches import by_tokens

SETTINGS = IndexSettings(passage_tokens=32, overlap_tokens=0, ngrams=False)


def find(snapshot, encoder, question, limit=10, **options):
    (query,) = encoder.encode_queries([question])
    hits = by_tokens(snapshot, query.vectors, selection=snapshot.allowed(None), limit=limit, **options)
    return [snapshot.passage(int(number)).document_id for number in hits.numbers]


class Updates:
    """One writer adds and deletes in batches, one thread merges, readers check every version they see."""

    def __init__(self, path, *, batches, size, readers=4):
        self.encoder = TopicEncoder()
        self.collection = Collection.create(path, encoder=self.encoder, vocabulary=None, settings=SETTINGS)
        self.batches, self.size = batches, size
        self.live = {}
        self.deleted = set()
        self.problems = []
        self.searched = 0
        self.waits = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.guarded, args=(self.read, at)) for at in range(readers)]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.merge,)))

    def guarded(self, call, *args):
        try:
            while not self.done.is_set():
                call(*args)
        except Exception as error:
            self.problems.append(repr(error))

    def merge(self):
        if not self.collection.merge(MergePolicy(fan_in=4)):
            time.sleep(0.01)

    def read(self, reader):
        rng = random.Random(reader + self.searched)
        held, dead = set(self.live), set(self.deleted)
        with self.collection.snapshot() as snapshot:
            number = rng.choice(sorted(held)) if held else 0
            found = find(snapshot, self.encoder, topic_text(number).partition(" topic")[0])
            again = find(snapshot, self.encoder, topic_text(number).partition(" topic")[0])
        self.searched += 1
        if found != again:
            self.problems.append(f"one version, two answers: {found} {again}")
        if len(set(found)) != len(found):
            self.problems.append(f"doubled: {found}")
        # What was live before the snapshot and still is after must be there; what was deleted before must not.
        if number in held and number in self.live and f"d{number}" != found[0]:
            self.problems.append(f"d{number} is not found: {found}")
        if {f"d{one}" for one in dead} & set(found):
            self.problems.append(f"deleted and found: {found}")

    def run(self):
        for thread in self.threads:
            thread.start()
        rng = random.Random(0)
        for batch in range(self.batches):
            numbers = range(batch * self.size, (batch + 1) * self.size)
            self.collection.add(topic_documents(numbers))
            began = time.monotonic()
            with self.collection.snapshot() as snapshot:
                assert find(snapshot, self.encoder, topic_text(numbers[0]))[0] == f"d{numbers[0]}"
            self.waits.append(time.monotonic() - began)
            self.live |= dict.fromkeys(numbers)
            gone = rng.sample(sorted(self.live), self.size // 10)
            for number in gone:
                del self.live[number]
            self.collection.delete([f"d{number}" for number in gone])
            self.deleted |= set(gone)
        self.done.set()
        for thread in self.threads:
            thread.join()
        while self.collection.merge(MergePolicy(fan_in=4)):
            pass


def check_against_a_fresh_build(updates, tmp_path, queries):
    fresh = Collection.create(tmp_path / "fresh", encoder=updates.encoder, vocabulary=None, settings=SETTINGS)
    numbers = sorted(updates.live)
    fresh.add(topic_documents(numbers))
    assert updates.collection.stats().documents == len(numbers) == fresh.stats().documents
    assert updates.collection.contains(f"d{number}" for number in numbers) == {f"d{n}" for n in numbers}
    assert updates.collection.verify() == []
    ratio = updates.collection.stats().bytes / fresh.stats().bytes
    assert ratio <= 1.3
    exact, live, built = 0, 0, 0
    with updates.collection.snapshot() as snapshot, fresh.snapshot() as other:
        for number in random.Random(1).sample(numbers, queries):
            question = topic_text(number).partition(" topic")[2]
            wanted = set(find(other, updates.encoder, question, exact_up_to=10**9))
            exact += len(wanted)
            live += len(wanted & set(find(snapshot, updates.encoder, question)))
            built += len(wanted & set(find(other, updates.encoder, question)))
    assert live >= built - 0.01 * exact
    return ratio, live / exact, built / exact


@pytest.mark.long
def test_added_deleted_and_merged_while_others_search(tmp_path):
    updates = Updates(tmp_path / "c", batches=14, size=40)
    updates.run()
    assert updates.problems == []
    assert updates.searched > 10
    assert updates.collection.stats().segments <= 12
    check_against_a_fresh_build(updates, tmp_path, 20)


@pytest.mark.long
def test_fifteen_thousand_passages_in_a_hundred_batches(tmp_path):
    updates = Updates(tmp_path / "c", batches=100, size=150)
    # With threads of their own, the matrix products of searches at once wait for each other, not for data.
    with threadpool_limits(1):
        updates.run()
    assert updates.problems == []
    assert updates.searched > 100
    # All but a few of the hundred: on a machine with other work one may be held up for that alone.
    assert sorted(updates.waits)[-6] < 1.0
    assert updates.collection.stats().segments <= 16
    check_against_a_fresh_build(updates, tmp_path, 100)


@pytest.mark.process
def test_fifty_kills_lose_and_double_nothing(tmp_path):
    """A process adds, deletes and merges until it is killed; each time what it reported done is there."""
    path, log = tmp_path / "c", tmp_path / "log"
    Collection.create(path, encoder=TopicEncoder(), vocabulary=None, settings=SETTINGS)
    log.touch()
    rng = random.Random(0)
    merged = 0
    runner = [sys.executable, "-m", "tests.support.runs.update", str(path), str(log)]
    with subprocess.Popen(
        runner, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(50):
            process.stdin.write("go\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            time.sleep(rng.uniform(0.02, 1.2))
            os.kill(child, signal.SIGKILL)
            assert process.stdout.readline() == "ended\n"
            merged = check_after_a_kill(path, log)
    assert merged > 3
    assert len(log.read_text().splitlines()) > 50


def check_after_a_kill(path, log):
    """The collection holds what the log says, or that and the change that was under way."""
    collection = Collection.open(path, encoder=TopicEncoder(), vocabulary=None)
    live, under_way = set(), (set(), set())
    merged = 0
    for line in log.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # cut in the middle: the change it announces was never begun
        change = json.loads(line)
        added, gone = set(change.get("add", ())), set(change.get("delete", ()))
        if change["done"]:
            live = (live | added) - gone
            under_way = (set(), set())
            merged += change.get("merged", 0)
        else:
            under_way = (added, gone)
    every = live | under_way[0] | under_way[1]
    held = {int(one[1:]) for one in collection.contains(f"d{number}" for number in every)}
    assert held in (live, (live | under_way[0]) - under_way[1])
    assert collection.stats().documents == len(held)
    assert collection.verify() == []
    if held != live:  # it was committed before the kill: say so for the next round
        with log.open("a") as file:
            file.write(
                json.dumps({"add": sorted(held - live), "delete": sorted(live - held), "done": True}) + "\n"
            )
    return merged
