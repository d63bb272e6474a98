"""Weights of ours that teach a language model to write n-grams of the passage that answers a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.adapter import WEIGHTS_FILE, adapted_copy, read_config, read_weights, save_weights
from models.networks.language_model import LanguageModel

FORMAT = "excerpta-ngram-adapter/1"


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """The `config.json` beside the weights."""

    format: str
    base: str
    hidden_size: int
    rank: int
    alpha: float


@dataclass(frozen=True, slots=True, eq=False)
class NgramWriter:
    """A language model that writes n-grams for questions. One that was trained for it needs no `examples`."""

    lm: LanguageModel
    examples: bool

    @classmethod
    def load(cls, lm: LanguageModel, directory: Path, *, fingerprint: str = "") -> NgramWriter:
        """Adds the changes to a copy of `lm`, which shares everything else with it.

        Raises ModelNotFound, ModelCorrupt, and UnsupportedModel if the weights are for another model.
        """
        config = WriterConfig(
            **read_config(directory, FORMAT, (field.name for field in fields(WriterConfig)))
        )
        if (config.base, config.hidden_size) != (lm.name, int(lm.model.config.hidden_size)):
            raise UnsupportedModel(lm.name, f"{directory.name} was trained for {config.base}")
        body = lm.model.base_model_prefix
        weights = {f"{body}.{name}": weight for name, weight in read_weights(directory).items()}
        try:
            model = adapted_copy(lm.model, weights, config.alpha / config.rank)
        except (KeyError, RuntimeError, AttributeError) as error:
            raise ModelCorrupt(str(directory / WEIGHTS_FILE), str(error).splitlines()[0]) from error
        return cls(lm.with_model(model.eval().requires_grad_(False), fingerprint=fingerprint), examples=False)


def save_ngram_writer(directory: Path, config: WriterConfig, deltas: Mapping[str, torch.Tensor]) -> None:
    """Writes what `NgramWriter.load` reads."""
    save_weights(directory, deltas)
    (directory / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")
