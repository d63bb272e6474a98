"""Reading passages in parallel from the prefix store: speed up to the first token, and after it."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.first_token import SPEED_CASES, SpeedOptions, run_speed
from benchmarks.report import Report
from benchmarks.streams import run_streams
from models import Models, load_profile
from models.device import use_available_cores

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
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/9", metavar="URL")


def run(options: argparse.Namespace, report: Report) -> None:
    """Runs the cases asked for with every dtype of the network."""
    use_available_cores()
    if options.threads:
        torch.set_num_threads(options.threads)
    cases = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(cases) - set(CASES):
        raise SystemExit(f"unknown cases: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
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
            run_speed(lm, dtype, speed, report)
            if "streams" in cases:
                run_streams(lm, dtype, speed.passages, options.runs, report)
