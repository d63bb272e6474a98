"""The pilot of evaluator heads: which heads of a language model look from a question to its answer.

EHPC (Fei et al. 2025, arXiv 2501.12959, section 3) hides a needle in filler, asks for it, and adds up the
attention that each head pays to the needle. The layer with the best head is the last that compression runs,
and its heads are used in the order of their sums.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from compress.base import Floats
from models import LanguageModel
from models.attention.maps import attention_maps
from models.executor import breathe

PROMPTS = 6
SENTENCES = 16
BEFORE = "Passages:\n"
"""What stands before the texts: the first tokens of a prompt draw attention whatever they say."""

_PLACES = ("harbour", "library", "station", "garden", "museum", "bridge", "market", "school")
_PEOPLE = (
    "Ada Quist",
    "Tom Berg",
    "Lena Holt",
    "Ivan Petrov",
    "Mei Tan",
    "Omar Said",
    "Rosa Diaz",
    "Jan Vos",
)
_FILLER = (
    "The {place} was built by {person} and repaired many years later.",
    "In winter the {place} closes early, as {person} had asked.",
    "{person} likes to walk from the {place} to the river on Sundays.",
    "Few people know that {person} once worked at the {place}.",
)
_NEEDLE = "The secret number of the {place} is {number}."
_QUESTION = "\nQuestion: What is the secret number of the {place}?"


@dataclass(frozen=True, slots=True)
class Evaluators:
    """The evaluator heads of the model with this fingerprint: a layer, and its heads, best first.

    `evidence` are the shares of attention on the needle, a head each, in that order: means over the prompts.
    """

    fingerprint: str
    layer: int
    heads: tuple[int, ...]
    evidence: tuple[float, ...]

    def save(self, folder: Path) -> Path:
        """Writes the file of this model and returns it."""
        folder.mkdir(parents=True, exist_ok=True)
        file = file_of(folder, self.fingerprint)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        return partial.replace(file)


@dataclass(frozen=True, slots=True)
class Needle:
    """One prompt of the pilot, in pieces that are tokenised apart: the needle is the second."""

    before: str
    needle: str
    after: str
    question: str


def evaluators_of(lm: LanguageModel, folder: Path) -> Evaluators:
    """The evaluator heads of a model: those stored in the folder, else those of a pilot, which is stored.

    The pilot reads some 2,500 tokens through all layers once a model.
    """
    file = file_of(folder, lm.fingerprint)
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Evaluators)
        if found.fingerprint == lm.fingerprint:
            return found
    except (OSError, msgspec.DecodeError):
        pass  # not there, or half written by an older version: the pilot tells again
    found = pilot(lm)
    found.save(folder)
    return found


def file_of(folder: Path, fingerprint: str) -> Path:
    """The file of a model's evaluator heads."""
    name = "".join(one if one.isalnum() or one in "-." else "." for one in fingerprint)
    return folder / f"heads-{name}.json"


def pilot(lm: LanguageModel, *, prompts: int = PROMPTS, seed: int = 0) -> Evaluators:
    """Measures every head of every layer on needles; the same model and seed give the same heads."""
    layers = lm.geometry.layers
    total: Floats = np.zeros(0)
    for needle in needles(prompts, seed):
        breathe()
        found = evidence(lm, needle, range(layers))
        total = found if not len(total) else total + found
    mean = total / prompts
    layer = int(mean.max(axis=1).argmax())
    order = np.argsort(-mean[layer], kind="stable").tolist()
    shares = tuple(round(float(mean[layer, head]), 4) for head in order)
    return Evaluators(lm.fingerprint, layer, tuple(order), shares)


def evidence(lm: LanguageModel, needle: Needle, layers: Sequence[int]) -> Floats:
    """The attention (layers, heads) on the needle: summed over its tokens, mean over the question's."""
    parts = [lm.encode(one) for one in (needle.before, needle.needle, needle.after, needle.question)]
    start, size, rows = len(parts[0]), len(parts[1]), len(parts[3])
    ids = [one for part in parts for one in part]
    maps = attention_maps(
        lm,
        ids,
        layers=layers,
        rows=range(len(ids) - rows, len(ids)),
        reduce=_summed(start, start + size),
    )
    shares: Floats = torch.stack(list(maps.weights)).double().cpu().numpy()
    return shares


def _summed(start: int, end: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda weights: weights[:, :, start:end].sum(-1).mean(-1)


def needles(count: int, seed: int) -> list[Needle]:
    """Prompts with a needle at even distances, from a seed."""
    rng = np.random.default_rng(seed)

    def draw(choices: Sequence[str]) -> str:
        return choices[int(rng.integers(len(choices)))]

    found = []
    for at in range(count):
        place = draw(_PLACES)
        filler = [draw(_FILLER).format(place=draw(_PLACES), person=draw(_PEOPLE)) for _ in range(SENTENCES)]
        cut = (2 * at + 1) * SENTENCES // (2 * count)
        found.append(
            Needle(
                BEFORE + " ".join(filler[:cut]),
                " " + _NEEDLE.format(place=place, number=int(rng.integers(10_000, 100_000))),
                " " + " ".join(filler[cut:]),
                _QUESTION.format(place=place),
            )
        )
    return found
