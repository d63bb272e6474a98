"""Reads many continuations of one prompt as a tree, so that shared tokens are read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from base.errors import InputTooLong
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel

ROOT = 0
"""The node that stands for the prompt alone."""


class Tree(Protocol):
    """The language model interface of the beam search and the question's n-grams."""

    @property
    def root(self) -> NDArray[np.float32]:
        """log p of every token (V,) right after the prompt."""

    @property
    def size(self) -> int:
        """Number of nodes, and so the number of the next one."""

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> tuple[range, NDArray[np.float32]]:
        """Adds a node for each token below each parent: the new nodes, and log p of what follows (n, V)."""


class Prefix:
    """The beginning that all prompts share, read once: ids, and keys and values of each layer."""

    def __init__(self, lm: LanguageModel, ids: Sequence[int]) -> None:
        self.ids = tuple(ids)
        cache = DynamicCache()
        with torch.inference_mode():
            lm.model(
                input_ids=torch.tensor([self.ids], device=lm.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self.layers = [(layer.keys, layer.values) for layer in cache.layers]


class LanguageTree:
    """A causal model over a tree of tokens below one prompt.

    Every node is read in the same row and sees the prompt, its ancestors and itself: one cache serves all
    branches, so nothing is copied or reordered when beams are dropped, and a step over b beams costs one
    forward call of b tokens. The values are those of reading each branch alone.
    """

    def __init__(self, lm: LanguageModel, prefix: Prefix, prompt: Sequence[int], *, most_depth: int) -> None:
        """Reads `prompt` (at least one token) after the prefix; branches may be `most_depth` tokens long.

        Raises InputTooLong, and UnsupportedModel for a model whose layers cannot see that far back.
        """
        self._model: Any = lm.model
        self._device = lm.device
        self._dtype = lm.dtype
        self._prompt = len(prefix.ids) + len(prompt)
        self._check(lm, self._prompt + most_depth)
        self._cache = DynamicCache(prefix.layers)
        self._paths: list[list[int]] = [[]]
        positions = list(range(len(prefix.ids), self._prompt))
        self._root = self._read(list(prompt), positions, mask=None, keep=1)[0]

    @property
    def root(self) -> NDArray[np.float32]:
        """log p of every token (V,) right after the prompt."""
        return self._root

    @property
    def size(self) -> int:
        """Number of nodes, and so the number of the next one."""
        return len(self._paths)

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> tuple[range, NDArray[np.float32]]:
        """Adds a node for each token below each parent: the new nodes, and log p of what follows (n, V).

        A parent may be a node of the same call that comes before its children.
        """
        nodes = range(self.size, self.size + len(tokens))
        for node, parent in zip(nodes, parents, strict=True):
            self._paths.append([*self._paths[parent], node])
        # The cache holds the prompt, then every node but the root, in order.
        visible = np.zeros((len(nodes), self._prompt + self.size - 1), np.bool_)
        visible[:, : self._prompt] = True
        for row, node in enumerate(nodes):
            visible[row, [self._prompt + seen - 1 for seen in self._paths[node]]] = True
        positions = [self._prompt + len(self._paths[node]) - 1 for node in nodes]
        return nodes, self._read(list(tokens), positions, mask=self._additive(visible), keep=0)

    @torch.inference_mode()
    def _read(
        self, tokens: list[int], positions: list[int], *, mask: torch.Tensor | None, keep: int
    ) -> NDArray[np.float32]:
        """log p (n, V) after the last `keep` tokens, or after all of them for 0."""
        logits = self._model(
            input_ids=torch.tensor([tokens], device=self._device),
            position_ids=torch.tensor([positions], device=self._device),
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits[0]
        values: NDArray[np.float32] = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        return values

    def _additive(self, visible: NDArray[np.bool_]) -> torch.Tensor:
        """The mask (1, 1, n, seen) in the form every attention implementation takes."""
        mask = torch.zeros(visible.shape, dtype=self._dtype)
        mask.masked_fill_(torch.from_numpy(~visible), torch.finfo(self._dtype).min)
        return mask[None, None].to(self._device)

    @staticmethod
    def _check(lm: LanguageModel, tokens: int) -> None:
        if tokens > lm.max_positions:
            raise InputTooLong(f"an n-gram prompt of {lm.name}", tokens, lm.max_positions)
        window = None if lm.full_attention else getattr(lm.model.config, "sliding_window", None)
        if not lm.full_attention and (window is None or tokens > window):
            raise UnsupportedModel(lm.name, f"its layers do not all see the last {tokens} tokens")
