"""Networks of a profile: with the engine, the blocks of models that are no longer served go from disk."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import torch

from api.device.networks import Networks
from context import PrefixStore
from context.prefix_store import BlockKey
from models.attention.blocks import Block
from tests.support.context_blocks import cache, cached
from tests.support.tiny.language_model import load_tiny


def block():
    return Block(torch.zeros(1, 1, 2, 4), torch.ones(1, 1, 2, 4))


def served(lm, tmp_path):
    store = PrefixStore(0, tmp_path / "prefixes", 10**6)
    models = SimpleNamespace(lm=lm, calibrations=tmp_path)
    return Networks(models, None, store=lambda: store), store


def sweeps():
    return [thread for thread in threading.enumerate() if thread.name == "prefix-sweep"]


def test_blocks_of_models_that_are_no_longer_served_are_removed_at_the_start(tmp_path):
    lm = load_tiny(tmp_path / "lm")
    networks, store = served(lm, tmp_path)
    try:
        mine, others = (
            BlockKey(namespace, "scope", "document", "block")
            for namespace in (networks.engine.namespace.digest(), "f" * 32)
        )
        for thread in sweeps():
            thread.join(10)
        cache(store, mine, block())
        cache(store, others, block())
        store.flush()
        assert cached(store, others) is not None
        again, store_again = served(lm, tmp_path)
        assert cached(store_again, others) is not None
        _ = again.engine
        for thread in sweeps():
            thread.join(10)
        assert cached(store_again, others) is None
        assert cached(store_again, mine) is not None
        store_again.close()
    finally:
        networks.close()


def test_a_sweep_that_fails_leaves_the_engine_as_it_is(tmp_path, monkeypatch):
    networks, store = served(load_tiny(tmp_path / "lm"), tmp_path)

    def refuse(namespace):
        raise PermissionError("no")

    monkeypatch.setattr(store, "delete_other_namespaces", refuse)
    assert networks.engine.namespace
    for thread in sweeps():
        thread.join(10)
    networks.close()


def test_threads_that_ask_at_once_get_one_store():
    made, together = [], threading.Barrier(4)

    def make():
        time.sleep(0.02)
        made.append(PrefixStore(0))
        return made[-1]

    networks = Networks(None, None, store=make)
    assert networks.store_stats() is None, "to ask for the counters makes no store"

    def ask():
        together.wait(5)
        return networks.store

    with ThreadPoolExecutor(4) as threads:
        found = [one.result() for one in [threads.submit(ask) for _ in range(4)]]
    assert len(made) == 1
    assert all(store is made[0] for store in found)
    networks.close()
