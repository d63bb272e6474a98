"""Log-likelihoods of continuations under a causal language model, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from models.executor import breathe, piece
from models.networks.batching import plan_batches

Pair: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""A prompt and its continuation, as token ids."""

_HEAD_ROWS = 256
"""Positions the head is applied to at once: 256 rows of a 150,000-word vocabulary are 150 MB."""

_SHARED_SHARE = 1 / 3
"""The part of all tokens that a common beginning must be before it is worth a call of its own."""


class LikelihoodScorer:
    """Scores pairs with as few tokens of work as their lengths and common beginnings allow.

    Rows are padded on the right: attention is causal, so padding cannot reach what comes before it, and
    no mask is needed. When the pairs begin alike (one prompt, many n-grams), the common beginning is
    read once and its keys and values are shared by all rows, if `share` allows.
    """

    def __init__(self, model: Any, *, call_cost: int, share: bool) -> None:
        self._base = model.base_model
        self._head = model.get_output_embeddings()
        self._device = model.device
        self._call_cost = call_cost
        self._share = share

    @torch.inference_mode()
    def score(self, pairs: Sequence[Pair], batch_tokens: int) -> list[NDArray[np.float64]]:
        """log p of each continuation's tokens, in order; equal pairs are read once. No prompt is empty."""
        places: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        at = [
            places.setdefault((tuple(prompt), tuple(continuation)), len(places))
            for prompt, continuation in pairs
        ]
        scored = self._score_each(list(places), batch_tokens)
        return [scored[place] for place in at]

    def _score_each(self, pairs: Sequence[Pair], batch_tokens: int) -> list[NDArray[np.float64]]:
        results = [np.zeros(0, np.float64) for _ in pairs]
        filled = [at for at, (_, continuation) in enumerate(pairs) if len(continuation)]
        lengths = [len(pairs[at][0]) + len(pairs[at][1]) for at in filled]
        shared = self._worth_sharing([pairs[at][0] for at in filled], lengths)
        prefix = self._read(pairs[filled[0]][0][:shared]) if shared else []
        for batch in plan_batches(lengths, budget=piece(batch_tokens), call_cost=self._call_cost):
            breathe()
            members = [filled[at] for at in batch]
            scored = self._score([pairs[at] for at in members], prefix, shared)
            for at, values in zip(members, scored, strict=True):
                results[at] = values
        return results

    def _worth_sharing(self, prompts: Sequence[Sequence[int]], lengths: Sequence[int]) -> int:
        """How many leading tokens to read once; each prompt keeps its last token to predict from."""
        if not self._share or len(prompts) < 2:
            return 0
        common = min(common_prefix(prompts), min(map(len, prompts)) - 1)
        saved = common * (len(prompts) - 1)
        return common if saved > max(self._call_cost, _SHARED_SHARE * sum(lengths)) else 0

    def _read(self, prefix: Sequence[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values (1, heads, len(prefix), dim) of each layer."""
        cache = DynamicCache()
        ids = torch.tensor([list(prefix)], dtype=torch.long, device=self._device)
        self._base(input_ids=ids, past_key_values=cache, use_cache=True)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _score(
        self, pairs: Sequence[Pair], prefix: Sequence[tuple[torch.Tensor, torch.Tensor]], shared: int
    ) -> list[NDArray[np.float64]]:
        rows = [np.asarray([*prompt, *continuation][shared:], np.int64) for prompt, continuation in pairs]
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
        sizes = [len(continuation) for _, continuation in pairs]
        owners = np.repeat(np.arange(len(rows)), sizes)
        columns = np.concatenate(
            [np.arange(len(row) - size, len(row)) - 1 for row, size in zip(rows, sizes, strict=True)]
        )
        cache = None
        if prefix:
            count = len(rows)
            cache = DynamicCache(
                [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in prefix]
            )
        hidden = self._base(
            input_ids=torch.from_numpy(ids).to(self._device),
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        picked = hidden[self._index(owners), self._index(columns)]
        targets = self._index(np.concatenate([np.asarray(pair[1], np.int64) for pair in pairs]))
        return np.split(self._log_probabilities(picked, targets), np.cumsum(sizes)[:-1])

    def _log_probabilities(self, hidden: torch.Tensor, targets: torch.Tensor) -> NDArray[np.float64]:
        """log softmax of the head at each hidden state (n, hidden), read at each target (n,)."""
        scored = [
            torch.log_softmax(self._head(states).float(), dim=-1).gather(-1, wanted[:, None])[:, 0]
            for states, wanted in zip(hidden.split(_HEAD_ROWS), targets.split(_HEAD_ROWS), strict=True)
        ]
        values: NDArray[np.float64] = torch.cat(scored).double().cpu().numpy()
        return values

    def _index(self, values: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device)


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """How many leading items all sequences have in common.

    >>> common_prefix([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    # Whatever the smallest and the largest share, every sequence between them shares too.
    first, last = min(map(list, sequences)), max(map(list, sequences))
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(last)))
