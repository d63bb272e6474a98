"""`python -m benchmarks ngrams` on a tiny corpus: every figure of the index is there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ngrams.data import PASSAGE_TOKENS, made, sampled
from tests.support import ROOT


def test_made_passages_repeat_themselves() -> None:
    passages = made(20_000, 5_000, seed=3)
    ids = np.stack([passage.ids for passage in passages])
    assert ids.shape == (200, PASSAGE_TOKENS)
    assert ids.min() >= 0
    assert ids.max() < 5_000
    assert all((one.ids == two.ids).all() for one, two in zip(passages, made(20_000, 5_000, 3), strict=True))
    pairs = Counter(zip(ids[:, :-1].ravel().tolist(), ids[:, 1:].ravel().tolist(), strict=True))
    assert sum(count for count in pairs.values() if count > 1) > ids.size / 4


def test_sampled_ngrams_occur() -> None:
    passages = made(1_000, 300, seed=1)
    runs = {
        tuple(passage.ids[at : at + 3].tolist()) for passage in passages for at in range(PASSAGE_TOKENS - 2)
    }
    assert set(sampled(passages, 3, 50, seed=2)) <= runs
    assert sampled(passages, PASSAGE_TOKENS + 1, 5, seed=2) == []


@pytest.mark.process
def test_every_figure_of_the_index_is_reported(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "benchmarks", "ngrams", "--millions", "0.01", "--ngrams", "20"]
    command += ["--cases", "excerpta,fm-index", "--peers", str(tmp_path), "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    measured = {row["metric"]: row["value"] for row in rows if row["case"] == "excerpta"}
    lookups = [f"{name}_us_{length}" for name in ("find", "next_set") for length in range(1, 9)]
    for metric in ("build_s", "bytes_per_token", "search_bytes_per_token", "locate_us", *lookups):
        assert measured[metric] > 0
    assert measured["search_bytes_per_token"] < measured["bytes_per_token"]
    assert [row["unit"] for row in rows if row["metric"] == "failed"] == ["not installed: run make peers"]
