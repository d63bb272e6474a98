"""What a block is kept under: a digest of everything that its keys and values depend on.

Not in the key: what only matters when a block is read (T, S, the question, the other passages), and
names of documents. Never Python's `hash`, which differs between processes, and never a part of a digest.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

Field: TypeAlias = "str | int | bytes | Sequence[int]"

SCHEMA_VERSION = 1
"""Raised whenever the meaning of a stored block changes; older blocks are then never found again."""

LAYOUT = "rotated keys; passage at the end of the prefix; [layer, head, token, dim]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The network and the layout that all blocks of one directory share."""

    model: str
    tokenizer: str
    layers: int
    kv_heads: int
    head_dim: int
    rope: str
    dtype: str
    layout: str = LAYOUT
    schema: int = SCHEMA_VERSION

    def digest(self) -> str:
        """Hexadecimal SHA-256 of every field."""
        return digest_of(asdict(self))


@dataclass(frozen=True, slots=True, order=True)
class BlockKey:
    """Three SHA-256 digests: of the namespace, of the tenant's salt, and of both with all tokens."""

    namespace: str
    scope: str
    block: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.scope}/{self.block}"


class Keys:
    """Makes the keys of one namespace, salt and prefix, so that only the passage is hashed each time."""

    def __init__(self, namespace: Namespace, salt: bytes, prefix: Sequence[int]) -> None:
        self._start = BlockKey(namespace.digest(), scope_of(salt), "")
        self._fields: dict[str, Field] = {
            "namespace": self._start.namespace,
            "salt": salt,
            "prefix": list(prefix),
        }

    def key(self, passage: Sequence[int]) -> BlockKey:
        """The key of one passage's token ids."""
        return replace(self._start, block=digest_of({**self._fields, "passage": list(passage)}))


def scope_of(salt: bytes) -> str:
    """What all blocks of one salt are filed under; it does not give the salt away."""
    return digest_of({"scope": salt})


def digest_of(fields: Mapping[str, Field]) -> str:
    """Hexadecimal SHA-256 of a canonical encoding.

    Every name and value carries its type and length, so no two different mappings encode alike.

    >>> digest_of({"a": "bc"}) != digest_of({"ab": "c"})
    True
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    total = hashlib.sha256()
    for name in sorted(fields):
        total.update(_tagged(b"n", name.encode()))
        total.update(_encoded(fields[name]))
    return total.hexdigest()


def _encoded(value: Field) -> bytes:
    if isinstance(value, str):
        return _tagged(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, int):
        return _tagged(b"i", str(value).encode())
    if isinstance(value, bytes):
        return _tagged(b"b", value)
    return _tagged(b"t", struct.pack(f"<{len(value)}Q", *value))


def _tagged(tag: bytes, content: bytes) -> bytes:
    return tag + struct.pack("<Q", len(content)) + content
