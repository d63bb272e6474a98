"""The namespace of a language model's blocks."""

from __future__ import annotations

import hashlib
import json

from context.prefix_store import Namespace, Storage
from models.device import dtype_name
from models.networks.language_model import LanguageModel


def namespace_of(lm: LanguageModel, storage: Storage = "exact") -> Namespace:
    """Everything about `lm` that its keys and values depend on, and the storage format."""
    geometry = lm.geometry
    vocabulary = json.dumps(lm.tokenizer.get_vocab(), sort_keys=True, separators=(",", ":"))
    return Namespace(
        model=lm.fingerprint,
        tokenizer=hashlib.sha256(vocabulary.encode()).hexdigest(),
        layers=geometry.layers,
        kv_heads=geometry.kv_heads,
        head_dim=geometry.head_dim,
        rope=geometry.rope,
        dtype=dtype_name(lm.dtype),
        storage=storage,
    )
