"""Which packed form multiplies faster than dense weights on this processor: measured once, and kept."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
from torch.nn.functional import linear

from models.device import dtype_name
from models.lean.packing import GROUP, PACKINGS, Packing

ROWS = (1, 4, 8, 16)
"""Numbers of rows that are measured: one answer, a few, as many as are written together."""

DENSE = "dense"

Times: TypeAlias = Mapping[str, Mapping[int, float]]
"""CPU milliseconds of one product by form, "dense" among them, and rows."""

_FORMAT = 1
_MEASURED_BYTES = 48 << 20
"""Of dense weights: more than a core's own caches hold, as the weights of a network are."""

_MOST_MATRICES = 64
_TURNS = 3
_PROBE_ERROR = 0.02
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KernelTable:
    """How fast each form is; one that multiplies wrongly is not in it.

    >>> KernelTable({"dense": {1: 0.5, 4: 0.6}, "int4": {1: 0.1, 4: 0.7}, "int8": {1: 0.6, 4: 0.9}}).faster()
    [('int4', 1)]
    """

    times: Times

    def faster(self) -> list[tuple[str, int]]:
        """The forms that are faster than dense weights at one row, the fastest first.

        Each with the number of rows up to which it is.
        """
        dense = self.times[DENSE]
        forms = [form for form in self.times if form != DENSE and self.times[form][1] < dense[1]]
        return [
            (form, max(self._up_to(form)))
            for form in sorted(forms, key=lambda one: (self.times[one][1], one))
        ]

    def _up_to(self, form: str) -> Iterator[int]:
        for rows, dense in sorted(self.times[DENSE].items()):
            if self.times[form][rows] >= dense:
                return
            yield rows


def kernel_table(
    directory: Path | None,
    shape: tuple[int, int],
    dtype: torch.dtype,
    *,
    packings: Mapping[str, Packing] = PACKINGS,
) -> KernelTable:
    """The table for weights of `shape` (out, in), beside dense ones of `dtype`.

    It is read from `directory` if this processor has measured it with this PyTorch, otherwise measured,
    which takes about a second, and kept there. Every start probes the forms again.
    """
    right = {form: packing for form, packing in packings.items() if multiplies_rightly(packing)}
    for form in sorted(packings.keys() - right.keys()):
        _log.info("this PyTorch has no right %s product for this processor; it is not used", form)
    file = None if directory is None else directory / f"kernels-{_identity(shape, dtype)}.json"
    times = None if file is None else _read(file)
    if times is None or not right.keys() <= times.keys():
        times = measure(shape, dtype, right)
        if file is not None:
            _write(file, times)
    return KernelTable({form: times[form] for form in (DENSE, *right) if times[form]})


def multiplies_rightly(packing: Packing) -> bool:
    """Whether a form's kernel gives the products of the weights that its levels stand for, in float64.

    Compared at every number of rows that is measured, and at one between.
    """
    draw = torch.Generator().manual_seed(0)
    try:
        levels = packing(torch.randn(128, 4 * GROUP, generator=draw) + 0.3)
        product, weights = levels.packed(), levels.dense().double()
        for rows in (*ROWS, 7):
            x = torch.randn(rows, 4 * GROUP, generator=draw).bfloat16()
            found, wanted = product(x).double(), x.double() @ weights.T
            if found.shape != wanted.shape or not (found - wanted).norm() <= _PROBE_ERROR * wanted.norm():
                return False
    except (ValueError, RuntimeError, AttributeError):
        return False
    return True


@torch.inference_mode()
def measure(shape: tuple[int, int], dtype: torch.dtype, packings: Mapping[str, Packing]) -> Times:
    """CPU milliseconds of this thread for a product, the best of a few turns; none for an impossible shape.

    A turn goes through more matrices than fit into the caches.
    """
    count = min(max(2, math.ceil(_MEASURED_BYTES / (shape[0] * shape[1] * dtype.itemsize))), _MOST_MATRICES)
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(shape, generator=draw).to(dtype)
    products: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {DENSE: partial(_dense, weights)}
    for form, packing in packings.items():
        with suppress(ValueError, RuntimeError):
            products[form] = packing(weights).packed()
    times: dict[str, dict[int, float]] = {form: {} for form in packings}
    for form, product in products.items():
        copies = [copy.deepcopy(product) for _ in range(count)]
        inputs = {rows: torch.randn(rows, shape[1], generator=draw) for rows in ROWS}
        times[form] = {rows: _best_ms(copies, x) for rows, x in inputs.items()}
    return times


def _dense(weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return linear(x.to(weights.dtype), weights)


def _best_ms(products: list[Callable[[torch.Tensor], torch.Tensor]], x: torch.Tensor) -> float:
    best = math.inf
    for _ in range(_TURNS):
        began = time.thread_time()
        for product in products:
            product(x)
        best = min(best, time.thread_time() - began)
    return round(best / len(products) * 1000, 5)


def _identity(shape: tuple[int, int], dtype: torch.dtype) -> str:
    """Names what the times depend on, so that a cache that two machines share has a table of each."""
    about = [
        _FORMAT,
        torch.__version__,
        torch.get_num_threads(),
        platform.machine(),
        sorted((getattr(torch.cpu, "get_capabilities", dict)()).items()),
        torch.backends.cpu.get_cpu_capability(),
        os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
        shape,
        dtype_name(dtype),
    ]
    return hashlib.sha256(json.dumps(about, default=str).encode()).hexdigest()[:12]


def _read(file: Path) -> Times | None:
    try:
        return {
            str(form): {int(rows): float(ms) for rows, ms in times.items()}
            for form, times in json.loads(file.read_text("utf-8")).items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _write(file: Path, times: Times) -> None:
    with suppress(OSError):  # without a cache it is measured again at the next start
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(times, out, indent=1)
        Path(name).replace(file)
