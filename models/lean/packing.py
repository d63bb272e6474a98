"""Packed forms of a weight matrix, and PyTorch's kernels that multiply with them on a CPU.

A processor writes a token as fast as it reads the weights, so fewer bits a weight are fewer milliseconds.
Activations are bfloat16, sums float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

GROUP = 32
"""Weights that share a scale and a zero in four bits, as in GGUF's Q4_1."""

_MIDDLE = 8
_ROWS = 512
_SMALLEST = 1e-9
"""Of a scale: a group of equal weights has none of its own."""


class Packed(Protocol):
    """A weight matrix as its kernel reads it."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The products (rows, out) bfloat16 of `x` (rows, in), of any float type."""

    @property
    def nbytes(self) -> int:
        """Bytes of its tensors."""


class Levels(Protocol):
    """A weight matrix rounded to the levels of a packed form."""

    def dense(self) -> torch.Tensor:
        """The weights (out, in) float32 that the levels stand for."""

    def packed(self) -> Packed:
        """In the kernel's order. Raises RuntimeError or AttributeError where PyTorch has no such kernel."""


class Packing(Protocol):
    """Rounds weights (out, in) to the levels of one form."""

    def __call__(self, weights: torch.Tensor) -> Levels:
        """Raises ValueError for a shape that the form cannot have."""


@dataclass(frozen=True, slots=True, eq=False)
class Int4Levels:
    """Four bits a weight: level q of a group stands for scale * (q - 8) + zero, both bfloat16.

    `levels` (out, groups, 32) int32; `scale` and `zero` (out, groups, 1) bfloat16.
    """

    levels: torch.Tensor
    scale: torch.Tensor
    zero: torch.Tensor

    @classmethod
    def of(cls, weights: torch.Tensor) -> Int4Levels:
        """The levels between each group's least and largest weight.

        A GGUF Q4_1 group has both of them among its levels, so its own levels are found again, and only
        scale and zero are rounded.
        """
        _check_shape(weights)
        groups = weights.float().view(weights.shape[0], -1, GROUP)
        least, largest = torch.aminmax(groups, dim=-1, keepdim=True)
        scale = largest.sub_(least).div_(15).clamp_(min=_SMALLEST).bfloat16()
        zero = least.add_(scale, alpha=_MIDDLE).bfloat16()
        levels = (groups - zero).div_(scale).round_().add_(_MIDDLE).clamp_(0, 15)
        return cls(levels.int(), scale, zero)

    def dense(self) -> torch.Tensor:
        """As `Levels`."""
        return ((self.levels - _MIDDLE) * self.scale.float()).add_(self.zero).flatten(1)

    def packed(self) -> Packed:
        """As `Levels`."""
        codes = torch.ops.aten._convert_weight_to_int4pack_for_cpu(self.levels.flatten(1), 1)
        return _Int4(codes, torch.cat([self.scale, self.zero], dim=-1).transpose(0, 1).contiguous())


@dataclass(frozen=True, slots=True, eq=False)
class Int8Levels:
    """Eight bits a weight and one bfloat16 scale an output, symmetric around 0.

    `levels` (out, in) int8; `scale` (out,) bfloat16.
    """

    levels: torch.Tensor
    scale: torch.Tensor

    @classmethod
    def of(cls, weights: torch.Tensor) -> Int8Levels:
        """The levels up to each output's largest weight."""
        _check_shape(weights)
        least, largest = torch.aminmax(weights, dim=1)
        scale = torch.maximum(-least, largest).float().div_(127).clamp_(min=_SMALLEST).bfloat16()
        levels = torch.empty(weights.shape, dtype=torch.int8)
        for start in range(0, weights.shape[0], _ROWS):  # so that what is between stays in the cache
            rows = slice(start, start + _ROWS)
            exact = weights[rows] / scale[rows, None].float()
            levels[rows] = exact.round_().clamp_(-127, 127)
        return cls(levels, scale)

    def dense(self) -> torch.Tensor:
        """As `Levels`."""
        return self.levels * self.scale[:, None].float()

    def packed(self) -> Packed:
        """As `Levels`."""
        return _Int8(self.levels, self.scale)


PACKINGS: Mapping[str, Packing] = {"int4": Int4Levels.of, "int8": Int8Levels.of}
"""The packed forms that there are, by name."""


def _check_shape(weights: torch.Tensor) -> None:
    # The kernels do not check: with 40 inputs the one for int8 reads behind the end and may crash.
    if any(size % GROUP for size in weights.shape):
        raise ValueError(f"{tuple(weights.shape)} are not multiples of {GROUP}")


@dataclass(frozen=True, slots=True, eq=False)
class _Int4:
    codes: torch.Tensor
    scales: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(
            x.bfloat16(), self.codes, GROUP, self.scales
        )
        return product

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.scales.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class _Int8:
    levels: torch.Tensor
    scale: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = torch.ops.aten._weight_int8pack_mm(x.bfloat16(), self.levels, self.scale)
        return product

    @property
    def nbytes(self) -> int:
        return self.levels.nbytes + self.scale.nbytes
