"""Chooses the device and the number format of the networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from models.errors import UnsupportedModel

_BFLOAT16_CPU = ("avx512_bf16", "amx_bf16", "amx_tile", "bf16")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

DTYPES = ("auto", *_DTYPES)


def pick_device(device: str = "auto") -> torch.device:
    """The device called `device`; "auto" is the first CUDA device, else Apple's GPU, else the CPU."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not (kind == "cuda" and index.isdecimal())):
        raise UnsupportedModel(device, "a device is auto, cpu, cuda, cuda:N or mps")
    picked = torch.device(device)
    if picked.type == "cuda" and (picked.index or 0) >= torch.cuda.device_count():
        raise UnsupportedModel(device, f"PyTorch sees {torch.cuda.device_count()} CUDA devices")
    return picked


def pick_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The number format called `dtype`; "auto" is bfloat16 where the device multiplies it fast, else float32.

    On a CPU with bfloat16 instructions batches run about twice as fast as in float32 and 15 beams at
    1.6 times the speed, while decoding a single stream is about a fifth slower: bfloat16 wins as soon
    as a query reads more than it writes. CPUs without the instructions emulate them, many times slower.
    """
    if dtype != "auto":
        if dtype not in _DTYPES:
            raise UnsupportedModel(dtype, f"a dtype is one of {', '.join(DTYPES)}")
        return _DTYPES[dtype]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def dtype_name(dtype: torch.dtype) -> str:
    """The name that profiles and fingerprints use: "float32", "bfloat16" or "float16"."""
    return str(dtype).removeprefix("torch.")


def call_cost(device: torch.device) -> int:
    """The fixed cost of a forward call, in tokens. Padding with fewer tokens is cheaper than another call.

    Measured on CPUs for 20-135M parameters (27-48 tokens); a GPU wants far larger batches.
    """
    return 48 if device.type == "cpu" else 4096


def use_available_cores() -> int:
    """Keeps PyTorch within the cores this process may use and returns their number.

    PyTorch starts a thread for every core of the machine; in a container with a CPU quota those
    threads wait for each other, and decoding slows down tenfold.
    """
    threads = max(1, min(torch.get_num_threads(), _cpu_quota()))
    torch.set_num_threads(threads)
    return threads


@contextmanager
def one_core() -> Iterator[None]:
    """Has PyTorch compute in the calling thread alone: work of a few rows is not worth waking others for."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for products of bfloat16; elsewhere they take far longer."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) is True for name in _BFLOAT16_CPU)


def _cpu_quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Whole cores the control group may use; a large number where there is no limit."""
    try:
        quota, period = file.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1 << 16
