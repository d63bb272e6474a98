"""Writing with the packaged language model: milliseconds a step, beside its modules and llama.cpp.

Every case reads the same tokens of Python's reference and then writes the tokens that follow in the text, so
that all compute the same. Sequences of a batch have equal contexts with keys of their own. Cases of this
process take turns, step by step, because the machine may be busy.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from excerpta.cli.demo import python_reference
from transformers import DynamicCache

from benchmarks.report import Report
from context.notes import ReadingNotes
from context.writing.generation import ReadPrompt, TokenUsage, read
from models import LanguageModel, Models, load_profile
from models.attention.batch import BatchCall
from models.attention.calls import enable_ape
from models.attention.row_keys import RowKeys
from models.attention.step import rows_to_write, writing_call
from models.checkpoints.sources import locate
from models.device import use_available_cores

ROOT = Path(__file__).parents[1]
CASES = ("ours", "dense", "modules", "llama-cpp")
_WARM_UP = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="where converted models are kept; default: temporary")
    parser.add_argument("--profile", default="small", help="whose language model is used (%(default)s)")
    parser.add_argument("--dtype", default="auto", help="of the network (%(default)s)")
    parser.add_argument("--contexts", default="50,500,2000", help="tokens before the first (%(default)s)")
    parser.add_argument("--batches", default="1,4,16", help="sequences written together (%(default)s)")
    parser.add_argument("--steps", type=int, default=16, help="of each case; two more warm up (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of every case (%(default)s)")
    parser.add_argument("--peers", type=Path, default=ROOT / ".peers", help="where `make peers` put them")


@dataclass(frozen=True, slots=True)
class _Task:
    """Tokens of a text: `context` are read, and each of `batch` sequences writes the `steps` that follow."""

    ids: list[int]
    context: int
    batch: int
    steps: int

    @property
    def label(self) -> str:
        """As in the table."""
        return f"{self.context} x {self.batch}"


@dataclass(slots=True)
class _Times:
    """Seconds of each step, and the logits of the first sequence behind it."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)


Step = Callable[[int], torch.Tensor]
"""Writes step n with its given token; returns the logits (batch, vocabulary)."""


def run(options: argparse.Namespace, report: Report) -> None:
    """Every context and batch, with all cases in turn."""
    use_available_cores()
    torch.set_num_threads(options.threads)
    cases = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(cases) - set(CASES):
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    profile = load_profile(options.profile)
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        home = options.models or Path(temporary)
        chosen, exact = (
            Models(replace(profile, lm=replace(profile.lm, dtype=dtype)), home, device="cpu").lm
            for dtype in (options.dtype, "float32")
        )
        for lm in (chosen, exact):
            enable_ape(lm)
        ids = chosen.encode("\n\n".join(document.text for document in python_reference()))
        for context in map(int, options.contexts.split(",")):
            wanted = _exact_logits(exact, ids, context, options.steps + _WARM_UP)
            for batch in map(int, options.batches.split(",")):
                task = _Task(ids, context, batch, options.steps + _WARM_UP)
                _ours(chosen, task, [case for case in cases if case != "llama-cpp"], wanted, report)
                if "llama-cpp" in cases:
                    _llama_cpp(options, task, wanted, Path(temporary), report)


@torch.inference_mode()
def _exact_logits(lm: LanguageModel, ids: Sequence[int], context: int, steps: int) -> torch.Tensor:
    """Log-probabilities (steps, vocabulary) in float32, by the modules."""
    whole = torch.tensor([list(ids[: context + steps])])
    logits = lm.model(input_ids=whole, use_cache=False, logits_to_keep=steps).logits[0]
    return torch.log_softmax(logits.double(), dim=-1)


@torch.inference_mode()
def _ours(lm: LanguageModel, task: _Task, cases: Sequence[str], wanted: torch.Tensor, report: Report) -> None:
    """The cases of this process, which take turns."""
    cache = DynamicCache()
    logits = read(lm, list(task.ids[: task.context]), 0, cache)
    prompt = ReadPrompt(cache, logits, task.context, None, TokenUsage(0, 0, 0, 0), ReadingNotes())
    leans = {"ours": lm.lean, "modules": None}
    if "dense" in cases:
        lm.write_lean(packed=False)
        leans["dense"] = lm.lean
    steps = {case: _stepper(lm, prompt, task, leans[case], lean=case != "modules") for case in cases}
    times = {case: _Times() for case in cases}
    for number in range(task.steps):
        for case, step in steps.items():
            began = time.perf_counter(), time.process_time()
            found = step(number)
            times[case].wall.append(time.perf_counter() - began[0])
            times[case].cpu.append(time.process_time() - began[1])
            times[case].logits.append(found[0].clone())
    lm.lean = leans["ours"]
    for case in cases:
        one = times[case]
        ms, cpu = (statistics.median(part[_WARM_UP:]) * 1000 for part in (one.wall, one.cpu))
        _add(report, task, case, ms, cpu, torch.stack(one.logits), wanted)


def _stepper(lm: LanguageModel, prompt: ReadPrompt, task: _Task, form: object, *, lean: bool) -> Step:
    """Steps of one case, each sequence with a copy of the prompt's keys."""
    own = rows_to_write(lm.device, task.batch) if lean else RowKeys(rows=task.batch)
    parts = []
    for _ in range(task.batch):
        frozen, beginning = copy.deepcopy(prompt.beginning())
        parts.append(frozen)
        own.add(beginning)
    rows = slice(0, task.batch)

    def step(number: int) -> torch.Tensor:
        lm.lean = form  # type: ignore[assignment]
        at = task.context + number
        call = writing_call(own, rows, parts) if lean else BatchCall(own, rows, parts)
        logits = lm.step(torch.full((task.batch, 1), task.ids[at]), torch.full((task.batch, 1), at), call)
        own.lengths = [length + 1 for length in own.lengths]
        return logits[:, -1]

    return step


def _llama_cpp(
    options: argparse.Namespace, task: _Task, wanted: torch.Tensor, room: Path, report: Report
) -> None:
    """The same weights and tokens by llama.cpp, in its own environment."""
    python = options.peers / "llama-cpp" / "bin" / "python"
    file = locate(load_profile(options.profile).lm).path
    if not python.exists() or not file.is_file():
        report.note(task.label, "llama-cpp", "not installed (run make peers), or not a GGUF file")
        return
    asked = {
        "model": str(file),
        "threads": options.threads,
        "ids": task.ids[: task.context + task.steps],
        "context": task.context,
        "steps": task.steps,
        "batches": [task.batch],
    }
    logits = room / "logits.npy"
    ran = subprocess.run(
        [python, ROOT / "benchmarks" / "engines" / "llama_cpp_engine.py", logits],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(options.threads)},
        check=False,
    )
    if ran.returncode:
        report.note(task.label, "llama-cpp", (ran.stderr.strip().splitlines() or ["it failed"])[-1])
        return
    found = json.loads(ran.stdout)[str(task.batch)]
    rows = torch.from_numpy(np.load(logits)) if task.batch == 1 else None
    _add(report, task, "llama-cpp", found["ms"], found["cpu_ms"], rows, wanted)


def _add(
    report: Report,
    task: _Task,
    case: str,
    ms: float,
    cpu_ms: float,
    logits: torch.Tensor | None,
    wanted: torch.Tensor,
) -> None:
    report.add(task.label, case, "ms", ms, "ms/step")
    report.add(task.label, case, "cpu_ms", cpu_ms, "ms/step")
    report.add(task.label, case, "tokens_per_cpu_s", task.batch / cpu_ms * 1000, "tokens/s")
    if logits is not None:
        found = torch.log_softmax(logits.double(), dim=-1)
        divergence = (wanted.exp() * (wanted - found)).sum(dim=-1).mean()
        report.add(task.label, case, "kl", float(divergence), "nats/token")
        same = (wanted.argmax(-1) == found.argmax(-1)).double().mean()
        report.add(task.label, case, "top1", float(same), "of the tokens")
