"""Sentences whose words are labelled keep or drop: what a compressor learns from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.errors import InvalidTrainingData


class Sentence(msgspec.Struct, frozen=True):
    """One sentence as words, with 1 for each word that the reference compression keeps."""

    tokens: list[str]
    keep: list[int]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with its words' spans (n, 2) and labels (n,), 1 is keep."""

    text: str
    spans: NDArray[np.int32]
    keep: NDArray[np.int64]


def read_sentences(file: Path) -> list[Sentence]:
    """Reads JSON lines {"tokens": [...], "keep": [...]}; raises InvalidTrainingData with the line."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InvalidTrainingData(str(file), f"cannot be read ({error.strerror})") from error
    decoder = msgspec.json.Decoder(Sentence)
    sentences = []
    for number, line in enumerate(lines, start=1):
        try:
            sentence = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise InvalidTrainingData(str(file), f"line {number}: {error}") from error
        if len(sentence.tokens) != len(sentence.keep) or not set(sentence.keep) <= {0, 1}:
            raise InvalidTrainingData(str(file), f"line {number}: it needs one 0 or 1 for each token")
        sentences.append(sentence)
    return sentences


def join(sentences: Sequence[Sentence]) -> LabelledText:
    """The words of the sentences with single spaces between them, as one text.

    The space before a full stop does no harm: BERT's tokenizer cuts at punctuation with or without it.
    """
    tokens = [token for sentence in sentences for token in sentence.tokens]
    ends = np.cumsum([len(token) + 1 for token in tokens], dtype=np.int32) - 1
    starts = ends - np.array([len(token) for token in tokens], dtype=np.int32)
    keep = np.array([label for sentence in sentences for label in sentence.keep], dtype=np.int64)
    return LabelledText(" ".join(tokens), np.stack([starts, ends], axis=1), keep)


def group(sentences: Sequence[Sentence], largest: int, rng: random.Random) -> list[LabelledText]:
    """Shuffles the sentences and joins 1 to `largest` of them at a time, every one exactly once.

    A passage has several sentences; a network that has only seen one at a time knows neither the
    positions nor the full stops in the middle.
    """
    shuffled = rng.sample(list(sentences), len(sentences))
    texts, at = [], 0
    while at < len(shuffled):
        size = rng.randint(1, largest)
        texts.append(join(shuffled[at : at + size]))
        at += size
    return texts


def token_labels(text: LabelledText, offsets: NDArray[np.int32]) -> NDArray[np.int64]:
    """The label of the word that each token (m, 2) begins in, (m,)."""
    word = np.searchsorted(text.spans[:, 1], offsets[:, 0], side="right")
    labels: NDArray[np.int64] = text.keep[np.minimum(word, len(text.keep) - 1)]
    return labels
