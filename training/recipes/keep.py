"""Trains a keep adapter: low-rank changes to an encoder, and a head with two labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from compress.methods.token_classifier import Classifier, word_probabilities
from models.device import pick_dtype
from models.networks.text_network import TextNetwork
from models.networks.token_classifier import KeepNetwork, framed
from training.data.keep_labels import LabelledText, Sentence, group, join, token_labels
from training.low_rank import low_rank, low_rank_weights
from training.measures.keep_scores import KeepScores, keep_scores

_IGNORED = -100


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a keep adapter is trained; `batch_tokens` counts padding, `largest` is sentences in a text."""

    epochs: int = 4
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    learning_rate: float = 1e-3
    warmup: float = 0.06
    batch_tokens: int = 1536
    largest: int = 6
    window: int = 254
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """The low-rank changes by module ("<module>.lora_A", "<module>.lora_B") and the head."""

    deltas: dict[str, torch.Tensor]
    head: torch.nn.Linear


Progress = Callable[[int, int, float], None]
"""Told after each step: steps done, steps in all, loss."""


def train(network: TextNetwork, sentences: Sequence[Sentence], recipe: Recipe, progress: Progress) -> Trained:
    """Minimises the cross-entropy of keep and drop over all tokens (Pan et al. 2024, eq. 3).

    `network` stays as it is. The same seed, data and number of threads give the same weights.
    """
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    encoder = low_rank(network.network, rank=recipe.rank, alpha=recipe.alpha, dropout=recipe.dropout)
    head = torch.nn.Linear(network.hidden_size, 2).to(network.device)
    model = KeepNetwork(encoder, head).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.01)
    batches = [
        batch
        for _ in range(recipe.epochs)
        for batch in epoch_batches(network, group(sentences, recipe.largest, rng), recipe, rng)
    ]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=len(batches) + 1, pct_start=recipe.warmup
    )
    mixed = pick_dtype("auto", network.device) is torch.bfloat16
    for step, (rows, labels) in enumerate(batches, start=1):
        ids, mask = framed(network, rows)
        targets = frame_labels(network, labels, ids.shape[1])
        with torch.autocast(network.device.type, torch.bfloat16, enabled=mixed):
            logits = model(ids.to(network.device), mask.to(network.device))
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), targets.to(network.device).flatten(), ignore_index=_IGNORED
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        progress(step, len(batches), float(loss.detach()))
    return Trained(low_rank_weights(encoder), head)


def epoch_batches(
    network: TextNetwork, texts: Sequence[LabelledText], recipe: Recipe, rng: random.Random
) -> list[tuple[list[NDArray[np.int32]], list[NDArray[np.int64]]]]:
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


def evaluate(classifier: Classifier, sentences: Sequence[Sentence]) -> KeepScores:
    """Agreement with the labels over the words of all sentences, each read by itself."""
    texts = [join([sentence]) for sentence in sentences]
    found = classifier.keep_probabilities([text.text for text in texts])
    probabilities = [
        word_probabilities(text.spans, np.asarray(tokens.offsets), np.asarray(tokens.probabilities))
        for text, tokens in zip(texts, found, strict=True)
    ]
    return keep_scores(np.concatenate([text.keep for text in texts]), np.concatenate(probabilities))
