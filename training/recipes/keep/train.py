"""Trains a keep adapter: low-rank changes to an encoder, and a head with two labels."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from models.device import pick_dtype
from models.networks.text_network import TextNetwork
from models.networks.token_classifier import KeepNetwork, framed
from training.data.keep_labels import LabelledText, Sentence, group, token_labels
from training.loop import Descent, Loop, seeded
from training.low_rank import low_rank, low_rank_weights
from training.recipes.keep.recipe import KeepRecipe

_IGNORED = -100


@dataclass(frozen=True, slots=True)
class Trained:
    """The low-rank changes by module ("<module>.lora_A", "<module>.lora_B") and the head."""

    deltas: dict[str, torch.Tensor]
    head: torch.nn.Linear


Batch = tuple[list[NDArray[np.int32]], list[NDArray[np.int64]]]
"""Token ids and labels, a row a text."""


def train(network: TextNetwork, sentences: Sequence[Sentence], recipe: KeepRecipe, loop: Loop) -> Trained:
    """Minimises the cross-entropy of keep and drop over all tokens (Pan et al. 2024, eq. 3).

    `network` stays as it is. The same seed, data and number of threads give the same weights.
    """
    rng = seeded(recipe.seed)
    encoder = low_rank(network.network, rank=recipe.rank, alpha=recipe.alpha, dropout=recipe.dropout)
    head = torch.nn.Linear(network.hidden_size, 2).to(network.device)
    model = KeepNetwork(encoder, head).train()
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    batches = [
        batch
        for _ in range(recipe.epochs)
        for batch in epoch_batches(network, group(sentences, recipe.largest, rng), recipe, rng)
    ]
    descent = Descent("keep", len(batches), recipe.learning_rate, recipe.warmup)
    loop.expect(descent.steps)
    loop.descend(descent, weights, batches, partial(_loss, network, model))
    return Trained(low_rank_weights(encoder), head)


def _loss(network: TextNetwork, model: KeepNetwork, batch: Batch) -> torch.Tensor:
    rows, labels = batch
    ids, mask = framed(network, rows)
    targets = frame_labels(network, labels, ids.shape[1])
    mixed = pick_dtype("auto", network.device) is torch.bfloat16
    with torch.autocast(network.device.type, torch.bfloat16, enabled=mixed):
        logits = model(ids.to(network.device), mask.to(network.device))
    return torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.to(network.device).flatten(), ignore_index=_IGNORED
    )


def epoch_batches(
    network: TextNetwork, texts: Sequence[LabelledText], recipe: KeepRecipe, rng: random.Random
) -> list[Batch]:
    """Token ids and labels of all texts, similar lengths together, batches in random order."""
    tokens = network.tokenize([text.text for text in texts])
    rows = [
        (found.ids[: recipe.window], token_labels(text, found.offsets)[: recipe.window])
        for text, found in zip(texts, tokens, strict=True)
    ]
    batches = list(_by_length(rows, recipe.batch_tokens))
    rng.shuffle(batches)
    return [([ids for ids, _ in batch], [labels for _, labels in batch]) for batch in batches]


def _by_length(
    rows: Sequence[tuple[NDArray[np.int32], NDArray[np.int64]]], batch_tokens: int
) -> Iterator[list[tuple[NDArray[np.int32], NDArray[np.int64]]]]:
    batch: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
    for row in sorted(rows, key=lambda row: len(row[0])):
        if batch and (len(batch) + 1) * len(row[0]) > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def frame_labels(network: TextNetwork, labels: Sequence[NDArray[np.int64]], width: int) -> torch.Tensor:
    """Labels (b, width) where `framed` puts the tokens; special tokens and padding are not learnt."""
    start = len(network.tokenizer.prefix)
    targets = np.full((len(labels), width), _IGNORED, np.int64)
    for at, row in enumerate(labels):
        targets[at, start : start + len(row)] = row
    return torch.from_numpy(targets)
