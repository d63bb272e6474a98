"""The cache key of a block: a digest of everything that its keys and values depend on.

Options that only matter when it is read (T, S, the question, the other passages) are not in the digest.
Neither are document names: they are only part of the path, so that a block is deleted with its document.
Python's `hash` is never used, because it differs between processes. Digests are never shortened.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeAlias

Field: TypeAlias = "str | int | bytes | Sequence[int]"

SCHEMA_VERSION = 2
"""Raised whenever the meaning of a stored block changes; older blocks are then never found again."""

LAYOUT = "rotated keys; passage at the end of the prefix; [layer, head, token, dim]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The network, the layout and the storage that all blocks of one directory share.

    `dtype` is what the network computes in, `storage` how its blocks are kept.
    """

    model: str
    tokenizer: str
    layers: int
    kv_heads: int
    head_dim: int
    rope: str
    dtype: str
    storage: str = "exact"
    layout: str = LAYOUT
    schema: int = SCHEMA_VERSION

    def digest(self) -> str:
        """Hexadecimal SHA-256 of every field."""
        return digest_of(asdict(self))


@dataclass(frozen=True, slots=True)
class Promise:
    """What a block of one key is made of: keys and values of [layers, kv_heads, tokens, head_dim]."""

    layers: int
    kv_heads: int
    tokens: int
    head_dim: int
    dtype: str
    storage: str


@dataclass(frozen=True, slots=True, order=True)
class BlockKey:
    """Four SHA-256 digests: of the namespace, the tenant's salt, the document, and of all tokens.

    The last covers the namespace and the salt too. As text they are a path, so that a tier that stores by
    path can delete a document or a tenant as a whole. A block that does not keep the key's `promise` is not
    the block of this key.
    """

    namespace: str
    scope: str
    document: str
    block: str
    promise: Promise | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.scope}/{self.document}/{self.block}"


class Keys:
    """Makes the keys of one namespace, salt and prefix, so that only the passage is hashed each time."""

    def __init__(self, namespace: Namespace, salt: bytes, prefix: Sequence[int]) -> None:
        self._namespace = namespace
        self._salt = salt
        self._start = BlockKey(namespace.digest(), scope_of(salt), "", "")
        self._fields: dict[str, Field] = {
            "namespace": self._start.namespace,
            "salt": salt,
            "prefix": list(prefix),
        }

    def key(self, passage: Sequence[int], document: str = "") -> BlockKey:
        """The key of one passage's token ids, filed under a document's name."""
        space = self._namespace
        return replace(
            self._start,
            promise=Promise(
                space.layers, space.kv_heads, len(passage), space.head_dim, space.dtype, space.storage
            ),
            document=document_of(self._salt, document),
            block=digest_of({**self._fields, "passage": list(passage)}),
        )


def scope_of(salt: bytes) -> str:
    """The path part of all blocks of one salt. It does not reveal the salt."""
    return digest_of({"scope": salt})


def document_of(salt: bytes, document: str) -> str:
    """The path part of all blocks of one document. It does not reveal the name."""
    return digest_of({"document": document, "salt": salt})


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
