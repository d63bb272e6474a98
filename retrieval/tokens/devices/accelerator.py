"""Token search on GPUs: as vectors and exactly while they fit, else as the inverted lists' codes.

A GPU reads its memory some hundred times faster than a CPU core, so the exact scan that the inverted lists
avoid on a CPU is the fastest search there: no codes, no imputation, and a filter is a mask. Only what is
too large for that is searched through lists, by the rules of the CPU.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from retrieval.tokens.devices import DeviceTrainer, Held, ResidentCodes, ResidentVectors, search_held
from retrieval.tokens.devices.search import Resident
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.search import TokenOptions, passing_parts, search_tokens_batch
from retrieval.top import NO_HITS
from retrieval.types import Bits, Float32, Hits

_SHARE = 0.8  # of the free memory that tokens may take


class _Shard:
    """One device: the segments it holds, as long as they live, within `budget` bytes."""

    def __init__(self, device: torch.device, budget: int) -> None:
        self.device = device
        self.budget = budget
        self.held: weakref.WeakKeyDictionary[TokenIndex, Resident] = weakref.WeakKeyDictionary()

    def taken(self, *, without: Collection[TokenIndex] = ()) -> int:
        return sum(resident.bytes for index, resident in self.held.items() if index not in without)


class Accelerator:
    """Token search on one or several devices; segments are spread over them and stay as long as they live.

    `budget` is the bytes of tokens a device holds; by default most of what is free at the start. A
    collection whose vectors fit is held as vectors; one that does not has the segments with inverted lists
    held as codes, and only the passages to refine are brought from disk.
    """

    def __init__(self, devices: Sequence[torch.device], *, budget: int | None = None) -> None:
        self._shards = [_Shard(one, _free_bytes(one) if budget is None else budget) for one in devices]
        self._lock = threading.Lock()
        # A search waits for its device now and then; others must not wait with it.
        self._threads = ThreadPoolExecutor(len(devices), "devices") if len(devices) > 1 else None
        self.trainer = DeviceTrainer(self._shards[0].device)

    def holds(self, indexes: Sequence[TokenIndex]) -> bool:
        """Whether the devices hold all segments, after loading what is missing if there is room for it."""
        with self._lock:
            wanted = [index for index in indexes if index.tokens]
            residents = [self._resident(index) for index in wanted]
            if None not in residents:
                return True
            coded = any(isinstance(one, ResidentCodes) for one in residents)
            return (not coded and self._load(wanted, coded=False)) or self._load(wanted, coded=True)

    def search(
        self,
        indexes: Sequence[TokenIndex],
        bases: Sequence[int],
        queries: Sequence[Float32],
        options: TokenOptions,
        *,
        allowed: Sequence[Bits | None],
    ) -> list[Hits]:
        """The best passages of each query (q_i, d) in segments that it `holds`.

        All held as vectors: by exact mean MaxSim, of `options` only the limit counts. Vectors and products
        are in half precision on a GPU (float32 on a CPU), sums in float32: scores are within 2e-3 of the
        CPU's. Otherwise as `search_tokens_batch` searches: refined scores are exact over the stored vectors,
        the others as near to the CPU's as the similarities of `ResidentCodes`. Where a device has no memory
        left for the search itself, the CPU does it.
        """
        parts = passing_parts(indexes, bases, allowed)
        held = [Held(part, one) for part in parts if (one := self._resident(part.index))]
        if not parts:
            return [NO_HITS] * len(queries)
        if len(held) < len(parts):  # something was put out between `holds` and now
            return search_tokens_batch(indexes, bases, queries, options, allowed=allowed)
        try:
            return search_held(
                held,
                queries,
                options,
                tokens=sum(index.tokens for index in indexes),
                exactly=all(isinstance(one.resident, ResidentVectors) for one in held),
                each=self._threads.map if self._threads else map,
            )
        except torch.OutOfMemoryError:  # models share the device
            return search_tokens_batch(indexes, bases, queries, options, allowed=allowed)

    def _resident(self, index: TokenIndex) -> Resident | None:
        return next((found for shard in self._shards if (found := shard.held.get(index))), None)

    def _load(self, wanted: Sequence[TokenIndex], *, coded: bool) -> bool:
        """Loads what is missing, `coded` as codes where there are lists; nothing if not all of it fits.

        Segments with lists that are held as vectors then give way to their codes.
        """
        forms = {one: ResidentCodes if coded and one.lists is not None else ResidentVectors for one in wanted}
        moving = {one for one in wanted if not _fits(self._resident(one), forms[one])}
        left = {shard: shard.budget - shard.taken(without=moving) for shard in self._shards}
        plan: list[tuple[TokenIndex, _Shard]] = []
        for index in sorted(moving, key=lambda one: -one.tokens):
            shard = max(left, key=left.__getitem__)
            left[shard] -= forms[index].size(index, shard.device)
            if left[shard] < 0:
                return False
            plan.append((index, shard))
        for index in moving:
            for shard in self._shards:
                shard.held.pop(index, None)
        for index, shard in plan:
            try:
                shard.held[index] = forms[index](index, shard.device)
            except torch.OutOfMemoryError:  # others have taken what was free at the start
                shard.budget = shard.taken()
                return False
        return True


def accelerator_for(device: torch.device) -> Accelerator | None:
    """Every CUDA device where the models run on one; None on a CPU, which has the inverted lists."""
    if device.type != "cuda":
        return None
    return Accelerator([torch.device("cuda", number) for number in range(torch.cuda.device_count())])


def _fits(resident: Resident | None, form: type[ResidentCodes | ResidentVectors]) -> bool:
    """Whether a segment can stay as it is held: codes serve where vectors would."""
    return resident is not None and (form is ResidentVectors or isinstance(resident, ResidentCodes))


def _free_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return 1 << 62
    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free)
