"""A bidirectional encoder: texts in, one contextual vector a token out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel

from models.batching import plan_batches
from models.colbert import Role, load_projection, marker_ids
from models.device import call_cost
from models.loading import load_network
from models.tokenizer import TextTokenizer, TokenizedText


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """One text's last hidden states: vectors (n, hidden) float32 with ids (n,) and offsets (n, 2).

    `truncated` tokens at the end of the text were over the network's limit and have no vector.
    """

    vectors: NDArray[np.float32]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]
    truncated: int = 0

    def __len__(self) -> int:
        return len(self.ids)


class TextNetwork:
    """A BERT-like network and its tokenizer; with a projection and markers, a ColBERT one.

    `hidden_size` is the width of the vectors it gives, after the projection.
    """

    def __init__(
        self,
        network: Any,
        tokenizer: TextTokenizer,
        *,
        name: str,
        fingerprint: str,
        max_tokens: int | None = None,
        projection: torch.nn.Linear | None = None,
        query_marker: str = "",
        passage_marker: str = "",
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = fingerprint
        self.hidden_size = projection.out_features if projection else int(network.config.hidden_size)
        self.device: torch.device = network.device
        self.dtype: torch.dtype = network.dtype
        self._projection = projection
        self._markers = marker_ids(tokenizer, {"query": query_marker, "passage": passage_marker}, name)
        marked = max(map(len, self._markers.values()))
        room = _positions(network.config) - len(tokenizer.prefix) - len(tokenizer.suffix) - marked
        self.max_tokens = min(room, max_tokens or room)

    @classmethod
    def load(
        cls,
        directory: Path,
        *,
        name: str,
        fingerprint: str,
        device: torch.device,
        dtype: torch.dtype,
        max_tokens: int | None = None,
        query_marker: str = "",
        passage_marker: str = "",
    ) -> TextNetwork:
        """Loads a checkpoint in the transformers layout with a `tokenizer.json`.

        `max_tokens` lowers the network's own limit. A ColBERT projection is found by itself; the marker
        tokens must be named. Raises ModelNotFound, ModelCorrupt, UnsupportedModel.
        """
        network = load_network(AutoModel, directory, dtype=dtype, device=device, optional=("pooler.",))
        if hasattr(network, "pooler"):
            network.pooler = None  # sentence vectors are never read here
        return cls(
            network,
            TextTokenizer.load(directory),
            name=name,
            fingerprint=fingerprint,
            max_tokens=max_tokens,
            projection=load_projection(directory, device),
            query_marker=query_marker,
            passage_marker=passage_marker,
        )

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Token ids and character offsets of each text, without special tokens, not truncated."""
        return self.tokenizer.tokenize(texts)

    def hidden_states(
        self, texts: Sequence[str], *, batch_tokens: int = 8192, role: Role = "passage"
    ) -> list[HiddenStates]:
        """Contextual vectors of every token of each text, in input order; special tokens are dropped.

        `role` picks the marker that ColBERT models read first; it changes nothing for other networks.
        A text longer than `max_tokens` is cut there, and says so in `truncated`. A text without tokens
        gives (0, hidden). A batch holds at most `batch_tokens` tokens with padding.
        """
        tokenized = self.tokenize(texts)
        states: list[HiddenStates | None] = [None] * len(texts)
        lengths = [min(len(text), self.max_tokens) for text in tokenized]
        filled = [at for at, length in enumerate(lengths) if length]
        plan = plan_batches(
            [lengths[at] for at in filled], budget=batch_tokens, call_cost=call_cost(self.device)
        )
        for batch in plan:
            members = [filled[at] for at in batch]
            vectors = self._forward([tokenized[at].ids[: lengths[at]] for at in members], role)
            for at, rows in zip(members, vectors, strict=True):
                states[at] = self._state(tokenized[at], rows)
        empty = np.zeros((0, self.hidden_size), np.float32)
        return [
            self._state(tokenized[at], empty) if state is None else state for at, state in enumerate(states)
        ]

    @torch.inference_mode()
    def _forward(self, rows: Sequence[NDArray[np.int32]], role: Role) -> list[NDArray[np.float32]]:
        """One padded forward call: the vectors of each row's own tokens."""
        before, after = [*self.tokenizer.prefix, *self._markers[role]], list(self.tokenizer.suffix)
        framed = [np.concatenate([before, row, after]).astype(np.int64) for row in rows]
        width = max(len(row) for row in framed)
        ids = np.full((len(rows), width), self.network.config.pad_token_id or 0, np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(framed):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        padded = not mask.all()
        output = self.network(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=torch.from_numpy(mask).to(self.device) if padded else None,
        ).last_hidden_state.float()
        if self._projection is not None:
            output = self._projection(output)
        vectors: NDArray[np.float32] = output.cpu().numpy()
        start = len(before)
        return [vectors[at, start : start + len(row)].copy() for at, row in enumerate(rows)]

    def _state(self, text: TokenizedText, vectors: NDArray[np.float32]) -> HiddenStates:
        kept = len(vectors)
        return HiddenStates(vectors, text.ids[:kept], text.offsets[:kept], len(text) - kept)


def _positions(config: Any) -> int:
    """How many positions the network has; the RoBERTa family starts counting after its padding id."""
    positions = int(config.max_position_embeddings)
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"):
        positions -= int(config.pad_token_id) + 1
    return positions
