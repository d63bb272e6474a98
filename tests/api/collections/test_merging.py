"""Segments are merged while the service runs, at its pace; batches of jobs that are over are forgotten."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from api.collections import merging
from api.collections.merging import Merger
from api.jobs import worker
from retrieval.segments import BatchKey


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(merging, "_LOOKS_EVERY_S", 0.02)
    monkeypatch.setattr(worker, "_HOUSEKEEPING_S", 0.05)


class Opened:
    """A library of one collection, whose merges work for a while."""

    path = type("Path", (), {"name": "c"})

    def __init__(self, works_s):
        self.works_s = works_s
        self.merged = threading.Event()
        self.begun = threading.Event()
        self.worked_s = 0.0

    def opened(self):
        return [self]

    def merge(self, *, budget, pause):
        if budget is not None:
            return False
        began = time.thread_time()
        while time.thread_time() - began < self.works_s:
            self.begun.set()
            pause()
        self.worked_s = time.thread_time() - began
        self.merged.set()
        return False


async def wait_for(test, timeout_s=20):
    for _ in range(int(timeout_s / 0.05)):
        if test():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


async def index_of(api):
    entry = await api.service.library.get("c")
    return await api.service.library.run(api.service.library.open, entry)


@pytest.mark.long
async def test_small_changes_end_up_in_few_segments(eager, settings, open_api):
    async with open_api(settings) as api:
        await api.made()
        for number in range(10):
            await api.put({"id": f"d{number}", "text": f"Document {number} is about tides."})
        index = await index_of(api)
        await wait_for(lambda: index.stats().segments <= 3)
        assert index.contains(f"d{number}" for number in range(10)) == {f"d{n}" for n in range(10)}
        reply = await api("POST", "/v1/query", json={"collection": "c", "query": "document 7 tides"})
        found = [hit["document_id"] for hit in reply.json()["hits"]]
        assert len(found) == len(set(found)) > 3


@pytest.mark.long
async def test_without_a_share_nothing_is_merged(eager, settings, open_api):
    async with open_api(replace(settings, merge_share=0)) as api:
        await api.made()
        for number in range(9):
            await api.put({"id": f"d{number}", "text": "Tides."})
        await asyncio.sleep(0.3)
        assert (await index_of(api)).stats().segments == 9


@pytest.mark.long
async def test_what_finished_jobs_put_in_is_forgotten_and_running_ones_not(eager, settings, open_api):
    async with open_api(settings) as api:
        await api.made()
        entry = await api.service.library.get("c")
        index = await index_of(api)
        await api.service.queue.put("job_running", entry.id, "documents", inline=True)
        index.add([], batch=BatchKey("job_running", 0))
        for number in range(3):
            await api.put({"id": f"d{number}", "text": "Tides."})
        await wait_for(lambda: index.jobs == {"job_running"})
        assert index.stats().documents == 3


async def test_what_another_process_deletes_is_let_go(settings, open_api):
    async with open_api(settings) as here, open_api(settings) as there:
        for name in ("a", "b"):
            await here.made(name)
            await there.put({"id": "x", "text": "One document."}, collection=name)
        assert len(there.service.library.opened()) == 2
        assert (await here("DELETE", "/v1/collections/a")).status_code == 200
        assert len(there.service.library.opened()) == 1
        assert (await there("GET", "/v1/collections/b")).json()["documents"] == 1


def test_a_merge_takes_its_share_of_a_core(monkeypatch):
    monkeypatch.setattr(merging, "_LOOKS_EVERY_S", 0.001)
    opened = Opened(works_s=0.2)
    merger = Merger(opened, share=0.25)
    began = time.monotonic()
    merger.start()
    assert opened.merged.wait(30)
    took = time.monotonic() - began
    merger.stop(5)
    assert took >= 0.9 * opened.worked_s / 0.25


def test_a_merge_is_given_up_when_the_service_ends(monkeypatch):
    monkeypatch.setattr(merging, "_LOOKS_EVERY_S", 0.001)
    opened = Opened(works_s=1000)
    merger = Merger(opened, share=0.01)
    merger.start()
    assert opened.begun.wait(10)
    began = time.monotonic()
    merger.stop(10)
    assert time.monotonic() - began < 5
    assert not opened.merged.is_set()
    assert not any(thread.is_alive() for thread in merger._threads)
