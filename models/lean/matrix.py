"""A linear layer's weights in two forms: dense for many rows, packed for few."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import linear

from models.lean.packing import PACKINGS, Levels, Packed
from models.lean.table import KernelTable

TOLERANCE = 0.02
"""Of the weights' norm. Weights that were in groups of four bits before are packed at .005, weights in eight
bits an output at .012; weights that were never rounded would be off by .09 in four bits."""

_COMPARED_ROWS = 1024
"""Outputs from which the error of a form is told before all are packed."""


class Matrix:
    """The product with weights (out, in) without a bias, given as one tensor or several, one below another.

    The dense weights are the given tensors, not copies. Up to `most_rows` rows, `packed` multiplies.
    """

    def __init__(self, weights: Sequence[torch.Tensor], packed: Packed | None = None, most_rows: int = 0):
        self._weights = tuple(weights)
        self._packed = packed
        self._most_rows = most_rows if packed is not None else 0

    @classmethod
    def of(cls, weights: Sequence[torch.Tensor], table: KernelTable | None) -> Matrix:
        """With the packed form that is fastest by `table`, of those that keep the weights as they are.

        Dense alone without a table, and where no form is both faster and close enough.
        """
        if table is None:
            return cls(weights)
        together = torch.cat(list(weights)) if len(weights) > 1 else weights[0]
        for form, most_rows in table.faster():
            packed = _packed(form, together)
            if packed is not None:
                return cls(weights, packed, most_rows)
        return cls(weights)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The products (rows, out) of `x` (rows, in), in bfloat16 or the dense weights' type."""
        if self._packed is not None and self.packs(x.shape[0]):
            return self._packed(x)
        x = x.to(self._weights[0].dtype)
        if len(self._weights) == 1:
            return linear(x, self._weights[0])
        return torch.cat([linear(x, weights) for weights in self._weights], dim=-1)

    def packs(self, rows: int) -> bool:
        """Whether the product of so many rows is the packed one."""
        return rows <= self._most_rows

    @property
    def packed_bytes(self) -> int:
        """Bytes of the packed form; 0 without one."""
        return 0 if self._packed is None else self._packed.nbytes


def relative_error(levels: Levels, weights: torch.Tensor) -> float:
    """The norm of what rounding changed, as a share of the weights' norm."""
    wanted = weights.float()
    return float((levels.dense() - wanted).norm() / wanted.norm().clamp(min=1e-12))


def _packed(form: str, weights: torch.Tensor) -> Packed | None:
    packing, some = PACKINGS[form], weights[:_COMPARED_ROWS]
    try:
        if relative_error(packing(some), some) > TOLERANCE:
            return None
        return packing(weights).packed()
    except (ValueError, RuntimeError, AttributeError):
        return None
