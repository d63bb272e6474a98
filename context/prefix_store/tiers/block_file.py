"""One block as one safetensors file, whose header has its key and checksum."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock, Tensors, keeps


class CorruptBlock(ValueError):
    """A file is not the block that its name promises. Never leaves the store: it counts as a miss."""


def block_to_bytes(key: BlockKey, block: StoredBlock) -> bytes:
    """The whole file of one block; its header names the key and the checksum of all of it."""
    facts = {"key": str(key), "dtype": block.dtype, "seconds": repr(block.seconds)}
    return save(dict(block.tensors), metadata={**facts, "crc32": _checksum(facts, block.tensors)})


def block_from_bytes(key: BlockKey, data: bytes) -> StoredBlock:
    """The block in a file's bytes. Raises CorruptBlock unless every byte that matters is as written."""
    try:
        size = struct.unpack_from("<Q", data)[0]
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        tensors = load(data)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, SafetensorError) as error:
        raise CorruptBlock(str(error)) from error
    return _checked(key, metadata, tensors)


def map_block(key: BlockKey, path: Path) -> StoredBlock:
    """The block in a file, mapped into memory and checked. Raises CorruptBlock, OSError.

    Nothing is copied. The checksum runs over the mapped pages, which brings them in from the disk, and
    the tensors are those same pages: each byte is read from the disk once and looked at twice in memory.
    The checksum is CRC-32, at 4 GB a second a third of what SHA-256 takes: it notices every burst of up
    to 32 bits, so every flipped byte. It guards against damage, not against an attacker who can write files.
    Files are only ever renamed into place and unlinked, never cut short, so the pages stay readable.
    """
    path.open("rb").close()  # what the system refuses is no damage, and is raised as it is
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CorruptBlock(str(error)) from error
    return replace(_checked(key, metadata, tensors), mapped=True)


def seconds_in(path: Path) -> float:
    """What the block of a file took to encode, by its header alone; 0.0 if it does not say."""
    try:
        with safe_open(path, framework="pt") as file:
            return float(file.metadata()["seconds"])
    except (ValueError, KeyError, TypeError, SafetensorError):
        return 0.0


def _checked(key: BlockKey, metadata: Any, tensors: Tensors) -> StoredBlock:
    if not isinstance(metadata, dict) or metadata.get("key") != str(key):
        raise CorruptBlock("it holds another block")
    facts = {name: str(metadata.get(name)) for name in ("key", "dtype", "seconds")}
    if metadata.get("crc32") != _checksum(facts, tensors):
        raise CorruptBlock("its checksum does not hold")
    if key.promise is not None and not keeps(tensors, facts["dtype"], key.promise):
        raise CorruptBlock("its tensors are not those of its key")
    return StoredBlock(tensors, facts["dtype"], float(facts["seconds"]))


def _checksum(facts: Mapping[str, str], tensors: Tensors) -> str:
    total = zlib.crc32(json.dumps(dict(sorted(facts.items()))).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total = zlib.crc32(f"|{name} {tensor.dtype} {list(tensor.shape)} {tensor.nbytes}|".encode(), total)
        if tensor.numel():
            # NumPy has no bfloat16; the bytes are the same under every type.
            total = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, total)
    return f"{total:08x}"
