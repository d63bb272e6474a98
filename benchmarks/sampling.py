"""How often an answer is cited, by temperature and by the least share of probability that is drawn.

Six questions over three short documents. A `least_share` of 0 draws from the whole vocabulary.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

from benchmarks.report import Report
from context import Citer, ContextEngine, ContextPassage, PrefixStore, Writing
from context.writing import sampling
from models import Models, load_profile

PASSAGES = (
    ContextPassage(
        "Travel policy",
        "Travel above 2000 euros is approved by the head of finance. Travel below 2000 euros is approved by "
        "the team lead. Receipts are kept for ten years.",
    ),
    ContextPassage(
        "Office",
        "The office opens at 9:00 and closes at 18:00. Dogs are allowed in the garden on Fridays. The "
        "kitchen is cleaned every evening.",
    ),
    ContextPassage(
        "Leave",
        "Every employee has 28 days of leave a year. Parental leave lasts 14 months. Sick leave needs a "
        "doctor's note after three days.",
    ),
)
QUESTIONS = (
    "Who approves travel above 2000 euros?",
    "When does the office open?",
    "How many days of leave does an employee have?",
    "How long does parental leave last?",
    "Where are dogs allowed on Fridays?",
    "How long are receipts kept?",
)
_TEMPERATURES = (0.0, 0.7, 1.0)
_SHARES = (0.0, sampling.LEAST_SHARE, 0.3)
_CACHE_BYTES = 64 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, default=Path("data"), help="where converted models are kept")
    parser.add_argument("--profile", default="small", help="whose language model is used (%(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="answers to each question (%(default)s)")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds the share of answers with a citation."""
    models = Models(load_profile(options.profile), options.models, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        engine = ContextEngine(models.lm, PrefixStore(_CACHE_BYTES, Path(folder), 0))
        for temperature in _TEMPERATURES:
            for share in _SHARES if temperature else (sampling.LEAST_SHARE,):
                began = time.process_time()
                seeds = range(options.seed, options.seed + (options.seeds if temperature else 1))
                cited = [_cited(engine, one, temperature, share, seed) for one in QUESTIONS for seed in seeds]
                case = f"temperature {temperature:g}" + (f", share {share:g}" if temperature else "")
                report.add("6 questions", case, "cited", sum(cited) / len(cited))
                report.add("6 questions", case, "answers", len(cited))
                report.add("6 questions", case, "cpu_s", time.process_time() - began, "s")


def _cited(engine: ContextEngine, question: str, temperature: float, share: float, seed: int) -> bool:
    """Whether one answer has a citation."""
    choose = partial(sampling.choose, least_share=share)
    with patch("context.writing.transcript.choose", choose):
        writing = Writing(max_tokens=40, temperature=temperature, seed=seed)
        generation = engine.start(question, PASSAGES, writing=writing)
        answer = "".join(iter(generation.step, None))
    citer = Citer([one.text for one in PASSAGES], titles=[one.title for one in PASSAGES], question=question)
    citer.feed(answer)
    citer.finish()
    return citer.supported
