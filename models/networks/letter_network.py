"""Weights of ours that teach a language model to rank a list by letters: low-rank changes and letter rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from base.errors import InputTooLong
from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.adapter import WEIGHTS_FILE, adapted_copy, read_config, read_weights, save_weights
from models.networks.branches import last_states
from models.networks.language_model import LanguageModel
from models.networks.tokenizer import TokenizedText

FORMAT = "excerpta-letter-adapter/1"
_LETTERS = "letters.weight"


@dataclass(frozen=True, slots=True)
class LetterConfig:
    """The `config.json` beside the weights.

    `letters` are the token ids that the rows belong to; `prompt` names the prompt they were trained with, and
    `passage_words` how long its passages were at most.
    """

    format: str
    base: str
    hidden_size: int
    rank: int
    alpha: float
    prompt: str
    passage_words: int
    letters: tuple[int, ...]


class LetterNetwork:
    """A language model that reads lists of passages and names the best by a letter.

    What it does not change it shares with the plain model: tokenizer, embeddings and lower layers.
    """

    def __init__(
        self, lm: LanguageModel, body: Any, letters: torch.Tensor, config: LetterConfig, *, fingerprint: str
    ) -> None:
        self.name = f"{lm.name}+{config.format.split('/')[0]}"
        self.fingerprint = fingerprint
        self.config = config
        self.max_positions = lm.max_positions
        self._lm = lm
        self._body = body
        self._rows = {token: letters[at].float().to(lm.device) for at, token in enumerate(config.letters)}

    @classmethod
    def load(cls, lm: LanguageModel, directory: Path, *, fingerprint: str = "") -> LetterNetwork:
        """Raises ModelNotFound, ModelCorrupt, and UnsupportedModel if the weights are for another model."""
        found = read_config(directory, FORMAT, (field.name for field in fields(LetterConfig)))
        config = LetterConfig(**found | {"letters": tuple(found["letters"])})
        hidden = int(lm.model.config.hidden_size)
        if (config.base, config.hidden_size) != (lm.name, hidden):
            raise UnsupportedModel(lm.name, f"{directory.name} was trained for {config.base}")
        weights = read_weights(directory)
        try:
            letters = weights.pop(_LETTERS)
            if letters.shape != (len(config.letters), hidden):
                raise RuntimeError(f"{_LETTERS} has the shape {tuple(letters.shape)}")
            body = adapted_copy(lm.model.base_model, weights, config.alpha / config.rank)
        except (KeyError, RuntimeError, AttributeError) as error:
            raise ModelCorrupt(str(directory / WEIGHTS_FILE), str(error).splitlines()[0]) from error
        return cls(lm, body.eval().requires_grad_(False), letters, config, fingerprint=fingerprint)

    def encode(self, text: str) -> list[int]:
        """As the language model's."""
        return self._lm.encode(text)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """As the language model's."""
        return self._lm.tokenize(texts)

    def chat(self, messages: Sequence[Mapping[str, str]], *, assistant_prefix: str = "") -> list[int]:
        """As the language model's."""
        return self._lm.chat(messages, assistant_prefix=assistant_prefix)

    def next_logits(self, prompt: Sequence[int], token_ids: Sequence[int]) -> NDArray[np.float64]:
        """Logits (k,) of the letters `token_ids` right after `prompt`, by one forward pass.

        Raises InputTooLong, and KeyError for a token that is not one of the letters.
        """
        return self.branch_logits([], [prompt], token_ids)[0]

    @torch.inference_mode()
    def branch_logits(
        self, prefix: Sequence[int], branches: Sequence[Sequence[int]], token_ids: Sequence[int]
    ) -> NDArray[np.float64]:
        """Logits (b, k) of the letters after each of the branches of `prefix`, which is read once.

        Raises InputTooLong, and KeyError for a token that is not one of the letters.
        """
        longest = len(prefix) + max(map(len, branches))
        if longest > self.max_positions:
            raise InputTooLong(f"a prompt of {self.name}", longest, self.max_positions)
        rows = torch.stack([self._rows[token] for token in token_ids])
        hidden = last_states(self._body, prefix, branches, share=self._lm.full_attention)
        values: NDArray[np.float64] = (hidden.float() @ rows.T).double().cpu().numpy()
        return values


@dataclass(frozen=True, slots=True)
class Ranker:
    """What ranks lists by letters, and the name of the prompt that it was trained with."""

    network: LetterNetwork | LanguageModel
    prompt: str


def is_letter_adapter(directory: Path) -> bool:
    """Whether these are weights for another model, and not a model of their own."""
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("format") == FORMAT


def save_letter_network(
    directory: Path, config: LetterConfig, deltas: Mapping[str, torch.Tensor], letters: torch.Tensor
) -> None:
    """Writes what `LetterNetwork.load` reads."""
    save_weights(directory, {**deltas, _LETTERS: letters})
    (directory / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")
