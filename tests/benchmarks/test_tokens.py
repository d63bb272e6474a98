"""`python -m benchmarks tokens` on a small set: every row is there, and exact search is exact."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tokens import synthetic
from benchmarks.tokens.data import exact
from retrieval.tokens import maxsim_reference
from tests.support import ROOT

pytestmark = pytest.mark.process

CASES = ("excerpta", "excerpta-refine", "torch")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict]:
    """Results by case and metric, with one peer that is not installed."""
    room = tmp_path_factory.mktemp("tokens")
    out = room / "results.jsonl"
    command = [sys.executable, "-m", "benchmarks", "tokens", "--passages", "200", "--queries", "5"]
    command += ["--cases", ",".join([*CASES, "lancedb"]), "--peers", str(room), "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "not installed: run make peers" in done.stdout
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    return {(row["case"], row["metric"]): row for row in rows}


def test_torch_is_exact(measured: dict) -> None:
    for metric in ("recall@10", "recall@100", "top10_in_100"):
        assert measured["torch", metric]["value"] == 1.0


def test_refined_excerpta_finds_the_best(measured: dict) -> None:
    assert measured["excerpta-refine", "recall@10"]["value"] > 0.9


@pytest.mark.parametrize("case", CASES)
def test_every_cost_is_reported(measured: dict, case: str) -> None:
    for metric in (
        "bytes_per_token",
        "query_ms_p50",
        "query_ms_p95",
        "query_cpu_ms",
        "peak_rss_mb",
        "qps",
        "qps_2",
    ):
        assert measured[case, metric]["value"] > 0
    assert measured[case, "build_cpu_s"]["value"] >= 0


def test_missing_peer_says_so(measured: dict) -> None:
    assert measured["lancedb", "failed"]["unit"] == "not installed: run make peers"
    assert ("lancedb", "qps") not in measured


def test_failing_engine_gives_its_last_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "tokens", "--passages", "3", "--queries", "1"]
    command += ["--dim", "16", "--cases", "excerpta", "--set", "excerpta.no_such_option=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "failed with status 1: TypeError" in done.stdout


def test_slow_engine_is_stopped() -> None:
    command = [sys.executable, "-m", "benchmarks", "tokens", "--passages", "3", "--queries", "1"]
    command += ["--dim", "16", "--cases", "torch", "--limit", "0.01"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "stopped after 0 s" in done.stdout


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        synthetic.write(tmp_path / name, 30, queries=4, seed=seed)
    for file in ("tokens.npy", "queries.npy", "lengths.npy", "query_lengths.npy"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / "tokens.npy").read_bytes() != (tmp_path / "c" / "tokens.npy").read_bytes()


def test_similarities_are_like_a_languages(tmp_path: Path) -> None:
    synthetic.write(tmp_path, 300, queries=10)
    tokens = np.load(tmp_path / "tokens.npy")
    queries = np.load(tmp_path / "queries.npy").reshape(10, synthetic.QUERY_TOKENS, -1)
    np.testing.assert_allclose(np.linalg.norm(tokens, axis=1), 1, rtol=1e-5)
    similarities = queries[:, : synthetic.QUERY_WORDS].reshape(-1, tokens.shape[1]) @ tokens.T
    assert 0.8 < similarities.max(axis=1).mean() < 0.9
    assert 0.15 < np.median(similarities) < 0.4


def test_exact_is_maxsim_of_ragged_passages(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lengths, asked = np.array([3, 1, 7, 2]), np.array([2, 5])
    for name, rows in (("tokens", lengths.sum()), ("queries", asked.sum())):
        np.save(tmp_path / f"{name}.npy", random.standard_normal((rows, 8)).astype(np.float32))
    np.save(tmp_path / "lengths.npy", lengths)
    np.save(tmp_path / "query_lengths.npy", asked)
    passages = np.split(np.load(tmp_path / "tokens.npy"), np.cumsum(lengths)[:-1])
    queries = np.split(np.load(tmp_path / "queries.npy"), np.cumsum(asked)[:-1])
    for query, found in zip(queries, exact(tmp_path), strict=True):
        scores = np.array([maxsim_reference(query, passage) for passage in passages])
        assert found[:4].tolist() == np.argsort(-scores).tolist()
        assert (found[4:] == -1).all()
