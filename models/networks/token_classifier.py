"""A token classifier: how probably each token of a text is kept when the text is shortened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoints.loading import load_network
from models.device import call_cost
from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.executor import breathe
from models.networks.adapter import WEIGHTS_FILE, adapted_copy, digest, read_weights, save_weights
from models.networks.batching import plan_batches
from models.networks.text_network import TextNetwork
from models.networks.tokenizer import TextTokenizer

ADAPTER_FORMAT = "excerpta-keep-adapter/1"
KEEP = 1
"""The label that means "keep", here as in the published LLMLingua-2 checkpoints; 0 is "drop"."""

_OVERLAP = 64


@dataclass(frozen=True, slots=True)
class TokenProbabilities:
    """One text's tokens: keep probabilities (n,) float32, character offsets (n, 2) int32, half-open."""

    probabilities: NDArray[np.float32]
    offsets: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What `config.json` beside adapter weights says: the network they belong to and how to add them.

    `window` is the longest text, in tokens without special ones, that training has shown.
    """

    format: str
    base: str
    hidden_size: int
    rank: int
    alpha: float
    window: int


class KeepNetwork(torch.nn.Module):
    """An encoder with a linear head: token ids and mask (b, n) in, logits (b, n, 2) float32 out."""

    def __init__(self, encoder: Any, head: torch.nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits of drop and keep for every token, special ones too."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: torch.Tensor = self.head(states.float())
        return logits


class TokenClassifier:
    """Keep probabilities for texts of any length.

    A longer text than the network's window is read in windows that overlap by 64 tokens. The probability of
    a token in two windows is the mean of both.
    """

    def __init__(self, frame: TextNetwork, logits: Any, *, window: int, fingerprint: str) -> None:
        self._frame = frame
        self._logits = logits
        self._window = min(window, frame.max_tokens)
        self.fingerprint = fingerprint

    @classmethod
    def load(cls, network: TextNetwork, weights_dir: Path) -> TokenClassifier:
        """Loads adapter weights of ours for `network`, or a `*ForTokenClassification` checkpoint.

        An adapter is added to a copy, so `network` stays as it is; the copy shares the weights that the
        adapter leaves alone. A whole checkpoint brings its own network and tokenizer, and only takes its
        device and number format from `network`. Raises ModelNotFound, ModelCorrupt, UnsupportedModel.
        """
        file = weights_dir / "config.json"
        try:
            config = json.loads(file.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ModelNotFound(weights_dir.name, [str(file)]) from error
        except ValueError as error:
            raise ModelCorrupt(str(file), str(error)) from error
        if isinstance(config, dict) and "format" in config:
            return cls._load_adapter(network, weights_dir, _adapter_config(file, config))
        return cls._load_checkpoint(network, weights_dir)

    @classmethod
    def _load_adapter(cls, network: TextNetwork, directory: Path, config: AdapterConfig) -> TokenClassifier:
        if (config.base, config.hidden_size) != (network.name, network.hidden_size):
            raise UnsupportedModel(network.name, f"{directory.name} was trained for {config.base}")
        weights = read_weights(directory)
        head = torch.nn.Linear(config.hidden_size, 2)
        try:
            head.load_state_dict(
                {"weight": weights.pop("head.weight").float(), "bias": weights.pop("head.bias").float()}
            )
            encoder = adapted_copy(network.network, weights, config.alpha / config.rank)
        except (KeyError, RuntimeError, AttributeError) as error:
            raise ModelCorrupt(str(directory / WEIGHTS_FILE), str(error).splitlines()[0]) from error
        model = KeepNetwork(encoder, head.to(network.device)).eval().requires_grad_(False)
        identity = f"{network.fingerprint}+{digest(directory)}"
        return cls(network, model, window=config.window, fingerprint=identity)

    @classmethod
    def _load_checkpoint(cls, network: TextNetwork, directory: Path) -> TokenClassifier:
        model = load_network(
            "AutoModelForTokenClassification", directory, dtype=network.dtype, device=network.device
        )
        if model.config.num_labels != 2:
            raise UnsupportedModel(
                directory.name, f"it has {model.config.num_labels} labels, not drop and keep"
            )
        identity = f"{directory.name}@{digest(directory)}:{network.dtype}".replace("torch.", "")
        frame = TextNetwork(model, TextTokenizer.load(directory), name=directory.name, fingerprint=identity)

        def logits(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = model(input_ids=input_ids, attention_mask=attention_mask).logits.float()
            return found

        return cls(frame, logits, window=frame.max_tokens, fingerprint=identity)

    def keep_probabilities(
        self, texts: Sequence[str], *, batch_tokens: int = 8192
    ) -> list[TokenProbabilities]:
        """The keep probability of every token of each text, in input order, special tokens dropped."""
        tokenized = self._frame.tokenize(texts)
        overlap = min(_OVERLAP, self._window // 2)
        places = [
            (at, start, end)
            for at, text in enumerate(tokenized)
            for start, end in windows(len(text.ids), self._window, overlap)
        ]
        sums = [np.zeros(len(text.ids), np.float64) for text in tokenized]
        seen = [np.zeros(len(text.ids), np.int64) for text in tokenized]
        lengths = [end - start for _, start, end in places]
        for batch in plan_batches(lengths, budget=batch_tokens, call_cost=call_cost(self._frame.device)):
            breathe()
            members = [places[index] for index in batch]
            found = self._forward([tokenized[at].ids[start:end] for at, start, end in members])
            for (at, start, end), row in zip(members, found, strict=True):
                sums[at][start:end] += row
                seen[at][start:end] += 1
        return [
            TokenProbabilities((total / np.maximum(count, 1)).astype(np.float32), text.offsets)
            for total, count, text in zip(sums, seen, tokenized, strict=True)
        ]

    @torch.inference_mode()
    def _forward(self, rows: Sequence[NDArray[np.int32]]) -> list[NDArray[np.float32]]:
        """One padded call: the keep probability of each row's own tokens."""
        ids, mask = framed(self._frame, rows)
        device = self._frame.device
        logits = self._logits(input_ids=ids.to(device), attention_mask=mask.to(device))
        keep: NDArray[np.float32] = logits.softmax(-1)[..., KEEP].cpu().numpy()
        start = len(self._frame.tokenizer.prefix)
        return [keep[at, start : start + len(row)] for at, row in enumerate(rows)]


def framed(network: TextNetwork, rows: Sequence[NDArray[np.int32]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask (b, n) int64 of rows between special tokens, padded on the right."""
    before, after = list(network.tokenizer.prefix), list(network.tokenizer.suffix)
    whole = [np.concatenate([before, row, after]).astype(np.int64) for row in rows]
    ids = np.full((len(whole), max(map(len, whole))), network.network.config.pad_token_id or 0, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(whole):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def windows(count: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Half-open windows of `size` over `count` tokens; neighbours share `overlap` or more, none is short.

    >>> windows(10, 4, 1)
    [(0, 4), (3, 7), (6, 10)]
    >>> windows(9, 4, 1)
    [(0, 4), (3, 7), (5, 9)]
    """
    if count <= size:
        return [(0, count)] if count else []
    starts = range(0, count - size, size - overlap)
    return [(start, start + size) for start in starts] + [(count - size, count)]


def save_adapter(
    directory: Path, config: AdapterConfig, deltas: Mapping[str, torch.Tensor], head: torch.nn.Linear
) -> None:
    """Writes adapter weights in the form that `TokenClassifier.load` reads, in float16."""
    save_weights(directory, {**deltas, "head.weight": head.weight, "head.bias": head.bias})
    (directory / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")


def _adapter_config(file: Path, config: Mapping[str, Any]) -> AdapterConfig:
    wanted = [field.name for field in fields(AdapterConfig)]
    if config["format"] != ADAPTER_FORMAT or sorted(config) != sorted(wanted):
        raise ModelCorrupt(str(file), f"it is not {ADAPTER_FORMAT} with the keys {', '.join(wanted)}")
    return AdapterConfig(**config)
