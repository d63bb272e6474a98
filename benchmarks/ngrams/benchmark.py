"""The n-gram index: building, size and lookups beside a peer, and its part in answering a question.

A made corpus without `--data`; with it, the sets' documents, repeated until they have enough tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from excerpta.types.retrieve import Ngrams

from benchmarks.ngrams import lookups
from benchmarks.ngrams.data import made, read, sampled
from benchmarks.report import Report
from retrieval.types import Tokens

if TYPE_CHECKING:
    from models.networks.ngram_writer import NgramWriter
    from retrieval.ngrams import LanguageVocabulary, NgramIndex

ROOT = Path(__file__).resolve().parents[2]
CASES = ("excerpta", "fm-index", "queries")
_MADE_VOCABULARY = 49_152
_LENGTHS = range(1, 9)
_QUESTION_TOKENS = 12


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--millions", type=float, default=5, help="tokens of the corpus (%(default)s)")
    parser.add_argument("--ngrams", type=int, default=300, help="looked up of each length (%(default)s)")
    parser.add_argument("--beams", default="5,10,15", help="of whole questions (%(default)s)")
    parser.add_argument("--length", type=int, default=Ngrams().length, help="tokens written (%(default)s)")
    parser.add_argument("--profile", default="small", help="whose language model writes (%(default)s)")
    parser.add_argument("--models", type=Path, help="where converted models are kept; default: temporary")
    parser.add_argument("--limit", type=float, default=300, help="wall seconds for the peer")
    parser.add_argument("--peers", type=Path, default=ROOT / ".peers", help="where `make peers` put them")


@dataclass(frozen=True, slots=True)
class _Data:
    name: str
    passages: list[Tokens]
    questions: list[str]
    vocabulary_size: int


def run(options: argparse.Namespace, report: Report) -> None:
    """Runs the cases on one corpus. A peer that cannot be run gets a row with the reason."""
    cases = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(cases) - set(CASES):
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    with TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        room = Path(temporary)
        language = _language(options, room) if options.data or "queries" in cases else None
        data = _data(options, language)
        directory = room / "index"
        directory.mkdir()
        index = lookups.build(directory, data.passages, data.vocabulary_size, data.name, report)
        patterns = {
            length: sampled(data.passages, length, options.ngrams, options.seed) for length in _LENGTHS
        }
        counts = lookups.look_up(index, patterns, data.name, report)
        if "fm-index" in cases:
            _fm_index(options, directory, patterns, counts, data.name, report)
        if language and "queries" in cases:
            _ask(options, language, index, data, report)


def _language(options: argparse.Namespace, room: Path) -> tuple[NgramWriter, LanguageVocabulary]:
    from models import Models, load_profile  # with PyTorch, which the index's lookups do without
    from retrieval.ngrams import LanguageVocabulary

    models = Models(load_profile(options.profile), options.models or room, device="cpu")
    writer = models.ngram_writer
    return writer, LanguageVocabulary(writer.lm)


def _data(options: argparse.Namespace, language: tuple[NgramWriter, LanguageVocabulary] | None) -> _Data:
    tokens = max(1, round(options.millions * 1_000_000))
    asked = options.queries or 10
    if options.data and language:
        name, passages, questions = read(options.data, language[1], tokens, options.split)
        order = np.random.default_rng(options.seed).permutation(len(questions))[:asked]
        return _Data(name, passages, [questions[at] for at in order], language[1].size)
    size = language[1].size if language else _MADE_VOCABULARY
    passages = made(tokens, size, options.seed)
    words = sampled(passages, _QUESTION_TOKENS, asked, options.seed) if language else []
    questions = [language[0].lm.decode(ids) for ids in words] if language else []
    return _Data(f"made-{options.millions:g}M", passages, questions, size)


def _ask(
    options: argparse.Namespace,
    language: tuple[NgramWriter, LanguageVocabulary],
    index: NgramIndex,
    data: _Data,
    report: Report,
) -> None:
    from benchmarks.ngrams.writing import Asking

    asking = Asking(*language, index, data.questions, options.length)
    for beams in map(int, options.beams.split(",")):
        asking.ask(beams, data.name, report)


def _fm_index(
    options: argparse.Namespace,
    directory: Path,
    patterns: lookups.Patterns,
    counts: dict[int, list[int]],
    name: str,
    report: Report,
) -> None:
    """The peer in its own environment: it counts and locates, and has no operation for the next set."""
    case = "fm-index"
    python = options.peers / case / "bin" / "python"
    if not python.exists():
        report.note(name, case, "not installed: run make peers")
        return
    asked = {"ids": str(directory / "tokens.npy"), "patterns": patterns}
    script = ROOT / "benchmarks" / "engines" / "fm_index_engine.py"
    try:
        ran = subprocess.run(
            [python, script],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=options.limit,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        report.note(name, case, f"stopped after {options.limit:.0f} s")
        return
    if ran.returncode:
        report.note(name, case, (ran.stderr.strip().splitlines() or ["it failed"])[-1][:200])
        return
    found = json.loads(ran.stdout)
    equal = [_same(found["counts"][str(length)], counts[length]) for length in counts]
    for metric, value in found["measured"].items():
        report.add(name, case, metric, value, "s" if metric.endswith("_s") else "us")
    report.add(name, case, "equal_counts", float(np.mean(equal)), "of the n-grams")


def _same(found: Sequence[int], wanted: Sequence[int]) -> float:
    return float(np.mean(np.asarray(found) == np.asarray(wanted))) if len(wanted) else 1.0
