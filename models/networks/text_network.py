"""A bidirectional encoder: texts in, one contextual vector a token out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoints.loading import load_network, position_count
from models.device import call_cost
from models.errors import UnsupportedModel
from models.executor import breathe
from models.networks.batching import plan_batches
from models.networks.colbert import Reading, Role, load_projection, marker_ids, read_reading
from models.networks.lean_encoder import LeanEncoder
from models.networks.tokenizer import TextTokenizer, TokenizedText

_LEAN_TOKENS = 2048
"""Tokens of a batch without padding; of more the activations no longer fit into a cache."""


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
        reading: Reading | None = None,
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = fingerprint
        self.hidden_size = projection.out_features if projection else int(network.config.hidden_size)
        self.device: torch.device = network.device
        self.dtype: torch.dtype = network.dtype
        self.reading = reading = reading or Reading()
        self._projection = projection
        markers: dict[Role, str] = {"query": reading.query_marker, "passage": reading.passage_marker}
        self._markers = marker_ids(tokenizer, markers, name)
        marked = max(map(len, self._markers.values()))
        self._framing = len(tokenizer.prefix) + len(tokenizer.suffix) + marked
        skipped = {tokenizer.token_id(word) for word in reading.skipped} - {None}
        self._skipped = np.array(list(skipped), np.int32)
        self._mask_id = _mask_id(tokenizer, reading, name)
        room = position_count(network.config) - self._framing
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

        `max_tokens` lowers the network's own limit. A ColBERT projection and PyLate's or ColBERT's own
        settings are found by themselves; markers given here stand in place of theirs.
        Raises ModelNotFound, ModelCorrupt, UnsupportedModel.
        """
        network = load_network("AutoModel", directory, dtype=dtype, device=device, optional=("pooler.",))
        if hasattr(network, "pooler"):
            network.pooler = None  # sentence vectors are never read here
        found = read_reading(directory)
        markers = {"query_marker": query_marker, "passage_marker": passage_marker}
        given: dict[str, Any] = {key: marker for key, marker in markers.items() if marker}
        return cls(
            network,
            TextTokenizer.load(directory),
            name=name,
            fingerprint=fingerprint,
            max_tokens=max_tokens,
            projection=load_projection(directory, device),
            reading=replace(found, **given),
        )

    def with_reading(self, reading: Reading) -> TextNetwork:
        """The same network, reading otherwise."""
        return TextNetwork(
            self.network,
            self.tokenizer,
            name=self.name,
            fingerprint=self.fingerprint,
            max_tokens=self.max_tokens,
            projection=self._projection,
            reading=reading,
        )

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Token ids and character offsets of each text, without special tokens, not truncated."""
        return self.tokenizer.tokenize(texts)

    def hidden_states(
        self, texts: Sequence[str], *, batch_tokens: int = 8192, role: Role = "passage"
    ) -> list[HiddenStates]:
        """Contextual vectors of every token of each text, in input order.

        `role` picks what ColBERT models read first, and what of a text has a vector (`Reading`); it changes
        nothing for other networks, of which special tokens are dropped. What stands for no character of
        the text has the offsets (-1, -1). A text longer than `max_tokens` is cut there, and says so in
        `truncated`. A text without tokens gives (0, hidden). A batch holds at most `batch_tokens` tokens
        with padding.
        """
        tokenized = self.tokenize(texts)
        rows = [self._row(text, role) if len(text) else None for text in tokenized]
        states = [_nothing(self.hidden_size)] * len(texts)
        filled = [at for at, row in enumerate(rows) if row is not None]
        lean = self._lean is not None  # and then pads nothing
        plan = plan_batches(
            [len(row.ids) for row in rows if row is not None],
            budget=min(batch_tokens, _LEAN_TOKENS) if lean else batch_tokens,
            call_cost=batch_tokens if lean else call_cost(self.device),
        )
        for batch in plan:
            breathe()
            members = [(filled[at], rows[filled[at]]) for at in batch]
            found = self._forward([row for _, row in members if row is not None])
            for (at, _), state in zip(members, found, strict=True):
                states[at] = state
        return states

    def frame(
        self, texts: Sequence[str], *, role: Role, window: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the network reads for a batch of texts cut to `window` tokens, padded on the right.

        Token ids (b, n), the attention mask (b, n), and which places count as vectors (b, n), on its device.
        """
        rows = [self._row(text, role, window) for text in self.tokenize(texts)]
        ids, mask, counts = _padded(rows, self.network.config.pad_token_id or 0)
        return tuple(torch.from_numpy(array).to(self.device) for array in (ids, mask, counts))  # type: ignore[return-value]

    def _row(self, text: TokenizedText, role: Role, window: int | None = None) -> _Row:
        """A text as the network reads it: framed, marked, and for a query filled up."""
        kept = min(len(text), window or self.max_tokens)
        before, after = [*self.tokenizer.prefix, *self._markers[role]], list(self.tokenizer.suffix)
        room = self.reading.query_length if role == "query" and self._mask_id is not None else 0
        fill = min(room - kept - len(before) - len(after), self.max_tokens - kept)
        masks = [self._mask_id] * max(0, fill)
        ids = np.concatenate([before, text.ids[:kept], after, masks]).astype(np.int64)
        counts = np.full(len(ids), self.reading.special_tokens)
        own = slice(len(before), len(before) + kept)
        counts[own] = True
        counts[len(before) + kept + len(after) :] = True
        if role == "passage" and len(self._skipped):
            wanted = ~np.isin(text.ids[:kept], self._skipped)
            counts[own] = wanted if self.reading.special_tokens or wanted.any() else True
        offsets = np.full((len(ids), 2), -1, np.int32)
        offsets[own] = text.offsets[:kept]
        read = len(ids) if self.reading.attends_to_fill else len(ids) - len(masks)
        return _Row(ids, counts, offsets, read, len(text) - kept)

    @torch.inference_mode()
    def _forward(self, rows: Sequence[_Row]) -> list[HiddenStates]:
        """One padded forward call: the vectors of each row that count."""
        states = [
            (row, (one.float() if self._projection is None else self._projection(one.float())).cpu().numpy())
            for row, one in zip(rows, self._last_states(rows), strict=True)
        ]
        return [
            HiddenStates(
                vectors[row.counts],
                row.ids[row.counts].astype(np.int32),
                row.offsets[row.counts],
                row.truncated,
            )
            for row, vectors in states
        ]

    def _last_states(self, rows: Sequence[_Row]) -> list[torch.Tensor]:
        """The network's last hidden states (n, hidden) of each row."""
        if self._lean is not None and all(row.read == len(row.ids) for row in rows):
            return self._lean([row.ids for row in rows])
        ids, mask, _ = _padded(rows, self.network.config.pad_token_id or 0)
        states: torch.Tensor = self.network(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=None if mask.all() else torch.from_numpy(mask).to(self.device),
        ).last_hidden_state
        return [states[at, : len(row.ids)] for at, row in enumerate(rows)]

    @cached_property
    def _lean(self) -> LeanEncoder | None:
        """What reads texts that need no mask, where the network has such a form."""
        return LeanEncoder.of(self.network)


@dataclass(frozen=True, slots=True)
class _Row:
    """Token ids (n,) as the network reads them, which of them have vectors, and their characters (n, 2).

    The first `read` are attended to.
    """

    ids: NDArray[np.int64]
    counts: NDArray[np.bool_]
    offsets: NDArray[np.int32]
    read: int
    truncated: int


def _padded(
    rows: Sequence[_Row], padding: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    ids = np.full((len(rows), max(len(row.ids) for row in rows)), padding, np.int64)
    mask = np.zeros_like(ids)
    counts = np.zeros(ids.shape, bool)
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = row.ids
        mask[at, : row.read] = 1
        counts[at, : len(row.ids)] = row.counts
    return ids, mask, counts


def _nothing(width: int) -> HiddenStates:
    return HiddenStates(np.zeros((0, width), np.float32), np.zeros(0, np.int32), np.zeros((0, 2), np.int32))


def _mask_id(tokenizer: TextTokenizer, reading: Reading, name: str) -> int | None:
    if not reading.query_length:
        return None
    for token in ("[MASK]", "<mask>"):
        if (found := tokenizer.token_id(token)) is not None:
            return found
    raise UnsupportedModel(name, "it fills queries with mask tokens and its vocabulary has none")
