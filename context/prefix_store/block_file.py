"""One block as one safetensors file, which says what it is and proves it."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from context.blocks import Block
from context.prefix_store.key import BlockKey

_NAMES = {"keys", "values"}


class CorruptBlock(ValueError):
    """A file is not the block that its name promises. Never leaves the store: it counts as a miss."""


def block_to_bytes(key: BlockKey, block: Block) -> bytes:
    """The whole file of one block; its header names the key and the checksum of all of it."""
    tensors = {"keys": block.keys.contiguous(), "values": block.values.contiguous()}
    return save(tensors, metadata={"key": str(key), "sha256": _checksum(key, tensors)})


def block_from_bytes(key: BlockKey, data: bytes) -> Block:
    """The block in a file's bytes. Raises CorruptBlock unless every byte that matters is as written."""
    try:
        size = struct.unpack_from("<Q", data)[0]
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        tensors = load(data)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, SafetensorError) as error:
        raise CorruptBlock(str(error)) from error
    if set(tensors) != _NAMES or not isinstance(metadata, dict) or metadata.get("key") != str(key):
        raise CorruptBlock("it holds another block")
    if metadata.get("sha256") != _checksum(key, tensors):
        raise CorruptBlock("its checksum does not hold")
    return Block(tensors["keys"], tensors["values"])


def _checksum(key: BlockKey, tensors: Mapping[str, torch.Tensor]) -> str:
    total = hashlib.sha256(str(key).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"|{name} {tensor.dtype} {list(tensor.shape)} {tensor.nbytes}|".encode())
        if tensor.numel():
            # NumPy has no bfloat16; the bytes are the same under every type.
            total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
