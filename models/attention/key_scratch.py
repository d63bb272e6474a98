"""Runs of keys and values laid one behind the other, so that one kernel call reads them all."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.blocks import LayerKeyValues


class KeyScratch:
    """Room for one layer's keys and values of several runs; what is laid out next lies in the same place.

    Keys copied to where the last layer's were stay in the processor's cache, so the copy costs little
    more than reading them. Copies of all layers at once cost as much again as the attention over them.
    """

    def __init__(self) -> None:
        self._parts: LayerKeyValues | None = None

    def lay_out(self, runs: Sequence[LayerKeyValues]) -> LayerKeyValues:
        """The tokens of all runs in order, good until the next call; a single run is returned as it is."""
        if len(runs) == 1:
            return runs[0]
        first = runs[0][0]
        _, heads, _, dim = first.shape
        shape = (1, heads, sum(keys.shape[2] for keys, _ in runs), dim)
        if self._parts is None or self._parts[0].shape != shape or self._parts[0].dtype != first.dtype:
            with torch.inference_mode(False):  # so that calls of both kinds may write to it
                self._parts = first.new_empty(shape), first.new_empty(shape)
        keys, values = self._parts
        torch.cat([run[0] for run in runs], dim=2, out=keys)
        torch.cat([run[1] for run in runs], dim=2, out=values)
        return keys, values


def joined(runs: Sequence[LayerKeyValues]) -> LayerKeyValues:
    """The same in memory of its own."""
    return torch.cat([keys for keys, _ in runs], dim=2), torch.cat([values for _, values in runs], dim=2)
