"""Storage formats of blocks: as computed, rounded to 16 bits, or in eight bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch

from context.prefix_store.key import Promise
from models.attention.blocks import Block
from models.device import dtype_name

Storage: TypeAlias = Literal["exact", "bfloat16", "int8"]
Tensors: TypeAlias = Mapping[str, torch.Tensor]

STORAGES: tuple[Storage, ...] = get_args(Storage)


@dataclass(frozen=True, slots=True, eq=False)
class StoredBlock:
    """A stored block: tensors by name, the type they are read in, and the seconds that encoding took.

    The tensors of a `mapped` one are pages of a file.
    """

    tensors: Tensors
    dtype: str
    seconds: float
    mapped: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def copied(self) -> StoredBlock:
        """The same in memory of its own, apart from the file it was mapped from."""
        tensors = {name: tensor.clone() for name, tensor in self.tensors.items()}
        return StoredBlock(tensors, self.dtype, self.seconds)


def pack(block: Block, storage: Storage, seconds: float = 0.0) -> StoredBlock:
    """The block in the format `storage`. `seconds` is the time that encoding took."""
    return StoredBlock(_PACK[storage](block), dtype_name(block.keys.dtype), seconds)


def unpack(stored: StoredBlock) -> Block:
    """The block to read; "exact" gives the very tensors. Raises KeyError for tensors of no storage."""
    keys, values = stored.tensors["keys"], stored.tensors["values"]
    dtype: torch.dtype = getattr(torch, stored.dtype)
    if keys.dtype == torch.int8:
        scales = stored.tensors["key_scales"], stored.tensors["value_scales"]
        return Block(_dequantized(keys, scales[0], dtype), _dequantized(values, scales[1], dtype))
    return Block(keys.to(dtype), values.to(dtype))


def keeps(tensors: Tensors, dtype: str, promise: Promise) -> bool:
    """Whether tensors have the names, shapes and types that a key promises."""
    shape = (promise.layers, promise.kv_heads, promise.tokens, promise.head_dim)
    kind = {"bfloat16": torch.bfloat16, "int8": torch.int8}.get(promise.storage)
    kind = kind or getattr(torch, promise.dtype)
    wanted = {"keys": (shape, kind), "values": (shape, kind)}
    if promise.storage == "int8":
        # An empty block has nothing to take a scale of: its scales are as empty.
        channels, tokens = ((*shape[:2], 1, shape[3]), (*shape[:3], 1)) if promise.tokens else (shape, shape)
        wanted |= {"key_scales": (channels, torch.float32), "value_scales": (tokens, torch.float32)}
    found = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    return dtype == promise.dtype and found == wanted


def _int8(block: Block) -> Tensors:
    """Keys with one scale a channel, values with one a token (Liu et al. 2024, KIVI, section 3).

    A few channels of the keys are large at every token, so a token's scale would leave the others no
    bits; values have no such channels.
    """
    keys, key_scales = _quantized(block.keys, axis=2)
    values, value_scales = _quantized(block.values, axis=3)
    return {"keys": keys, "values": values, "key_scales": key_scales, "value_scales": value_scales}


def _quantized(tensor: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric eight-bit integers, and the float32 scales that one step stands for."""
    exact = tensor.float()
    scales = exact.abs().amax(dim=axis, keepdim=True) / 127 if exact.numel() else exact
    steps = exact / scales.clamp_min(torch.finfo(torch.float32).tiny)
    return steps.round_().clamp_(-127, 127).to(torch.int8), scales


def _dequantized(steps: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return steps.float().mul_(scales).to(dtype)


_PACK: Mapping[Storage, Callable[[Block], Tensors]] = {
    "exact": lambda block: {"keys": block.keys.contiguous(), "values": block.values.contiguous()},
    "bfloat16": lambda block: {
        "keys": block.keys.bfloat16().contiguous(),
        "values": block.values.bfloat16().contiguous(),
    },
    "int8": _int8,
}
