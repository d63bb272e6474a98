"""Reading passages in parallel from the prefix store: speed up to the first token, and after it.

With --data, how good the answers are by each reading instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.context.first_token import SPEED_CASES, SpeedOptions, run_speed
from benchmarks.context.quality import QUALITY_CASES, QualityOptions, run_quality
from benchmarks.context.streams import run_drafts, run_streams
from benchmarks.report import Report
from models import Models, load_profile
from models.device import use_available_cores
from models.networks.language_model import LanguageModel

CASES = (*SPEED_CASES, "streams")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="where converted models are kept; default: temporary")
    parser.add_argument("--profile", default="small", help="whose language model is used (%(default)s)")
    parser.add_argument("--dtypes", default="float32,bfloat16", help="of the network (%(default)s)")
    parser.add_argument(
        "--storages", default="exact,int8", help="of blocks: exact, bfloat16, int8 (%(default)s)"
    )
    parser.add_argument("--passages", default="10,20", help="of 200 tokens each (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="of each case; the fastest counts (%(default)s)")
    parser.add_argument(
        "--threads",
        type=int,
        help="of PyTorch; default: all cores. On a busy machine threads wait for each other, which uses CPU "
        "time: 1 gives times that can be compared",
    )
    parser.add_argument(
        "--answer-tokens", type=int, default=24, help="with --data; 0 writes no answers (%(default)s)"
    )
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/9", metavar="URL")


def run(options: argparse.Namespace, report: Report) -> None:
    """Runs the cases asked for with every dtype of the network."""
    use_available_cores()
    if options.threads:
        torch.set_num_threads(options.threads)
    known = (*QUALITY_CASES, "drafts") if options.data else CASES
    default = QUALITY_CASES if options.data else CASES
    cases = options.cases.split(",") if options.cases else list(default)
    if unknown := {case.split("+")[0] for case in cases} - set(known):
        raise SystemExit(f"unknown cases: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    speed = SpeedOptions(
        cases=cases,
        storages=options.storages.split(","),
        passages=[int(one) for one in options.passages.split(",")],
        runs=options.runs,
        redis_url=options.redis,
    )
    profile = load_profile(options.profile)
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        for dtype in options.dtypes.split(","):
            chosen = replace(profile, lm=replace(profile.lm, dtype=dtype))
            lm = Models(chosen, options.models or Path(temporary), device="cpu").lm
            if options.data:
                _quality(lm, cases, speed.passages, options, report)
                continue
            run_speed(lm, dtype, speed, report)
            if "streams" in cases:
                run_streams(lm, dtype, speed.passages, options.runs, report)


def _quality(
    lm: LanguageModel,
    cases: Sequence[str],
    passages: Sequence[int],
    options: argparse.Namespace,
    report: Report,
) -> None:
    chosen = QualityOptions(
        cases=[case for case in cases if case != "drafts"],
        queries=options.queries or 40,
        passages=passages,
        max_tokens=options.answer_tokens,
        seed=options.seed,
    )
    for data in options.data:
        if chosen.cases:
            run_quality(lm, data, chosen, report)
        if "drafts" in cases:
            run_drafts(lm, data, chosen, report)
