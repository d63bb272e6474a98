"""Times llama.cpp writing tokens; runs in the peer's environment, which has none of our code.

Reads {"model", "threads", "ids", "context", "steps", "batches"} from standard input: `ids` are the tokens of
a text, `context` of them are read, and each sequence then writes the `steps` that follow. Prints
{"batch": {"ms": ..., "cpu_ms": ...}} a step, and writes the logits (steps, vocabulary) of one sequence to
the file named by the first argument.
"""

from __future__ import annotations

import ctypes
import json
import platform
import statistics
import sys
import time
from typing import Any

import numpy as np

_ARCH_REQ_XCOMP_PERM, _XTILEDATA = 0x1023, 18
_WARM_UP = 2


def _allow_amx() -> None:
    """Asks the kernel for AMX tiles, without which the library falls back; no effect elsewhere."""
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        ctypes.CDLL(None).syscall(158, _ARCH_REQ_XCOMP_PERM, _XTILEDATA)


def main() -> None:
    """Runs every batch size of one context."""
    _allow_amx()
    import llama_cpp  # after the tiles were asked for

    asked: dict[str, Any] = json.load(sys.stdin)
    found = {}
    for batch in asked["batches"]:
        found[str(batch)] = _measure(llama_cpp, asked, batch, sys.argv[1] if batch == 1 else None)
    print(json.dumps(found))


def _measure(lib: Any, asked: dict[str, Any], sequences: int, logits_file: str | None) -> dict[str, float]:
    """Medians of a step of so many sequences with the same context, each with keys of its own."""
    ids, context, steps = asked["ids"], asked["context"], asked["steps"]
    lib.llama_backend_init()
    parameters = lib.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = lib.llama_model_load_from_file(asked["model"].encode(), parameters)
    options = lib.llama_context_default_params()
    options.n_ctx = (context + steps + 8) * sequences
    options.n_batch = options.n_ubatch = 512
    options.n_seq_max = sequences
    options.n_threads = options.n_threads_batch = asked["threads"]
    state = lib.llama_init_from_model(model, options)
    vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    batch = lib.llama_batch_init(512, 0, 1)
    for sequence in range(sequences):
        for start in range(0, context, 512):
            part = range(start, min(start + 512, context))
            _fill(batch, [(ids[at], at, sequence) for at in part])
            _decode(lib, state, batch)
    wall, cpu, rows = [], [], []
    for step in range(steps):
        _fill(batch, [(ids[context + step], context + step, sequence) for sequence in range(sequences)])
        began = time.perf_counter(), time.process_time()
        _decode(lib, state, batch)
        logits = lib.llama_get_logits_ith(state, 0)  # waits for the result
        wall.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
        if logits_file:
            rows.append(np.ctypeslib.as_array(logits, (vocabulary,)).copy())
    if logits_file:
        np.save(logits_file, np.stack(rows))
    lib.llama_batch_free(batch)
    lib.llama_free(state)
    lib.llama_model_free(model)
    return {
        "ms": statistics.median(wall[_WARM_UP:]) * 1000,
        "cpu_ms": statistics.median(cpu[_WARM_UP:]) * 1000,
    }


def _fill(batch: Any, tokens: list[tuple[int, int, int]]) -> None:
    batch.n_tokens = len(tokens)
    for at, (token, position, sequence) in enumerate(tokens):
        batch.token[at], batch.pos[at] = token, position
        batch.n_seq_id[at], batch.seq_id[at][0] = 1, sequence
        batch.logits[at] = True


def _decode(lib: Any, state: Any, batch: Any) -> None:
    if code := lib.llama_decode(state, batch):
        raise RuntimeError(f"llama_decode returned {code}")


if __name__ == "__main__":
    main()
