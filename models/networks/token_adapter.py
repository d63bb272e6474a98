"""Weights of ours that make a plain encoder a late-interaction one: low-rank changes and a projection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.adapter import WEIGHTS_FILE, adapted_copy, read_config, read_weights, save_weights
from models.networks.colbert import PUNCTUATION, Reading
from models.networks.text_network import TextNetwork

FORMAT = "excerpta-token-adapter/1"
_PROJECTION = "projection.weight"


@dataclass(frozen=True, slots=True)
class TokenAdapterConfig:
    """The `config.json` beside the weights: the base network, and the input format of the adapted one."""

    format: str
    base: str
    hidden_size: int
    dim: int
    rank: int
    alpha: float
    query_marker: str
    passage_marker: str
    skips_punctuation: bool

    @property
    def reading(self) -> Reading:
        """How the adapted network reads."""
        return Reading(
            query_marker=self.query_marker,
            passage_marker=self.passage_marker,
            skipped=PUNCTUATION if self.skips_punctuation else (),
        )


def adapt(network: TextNetwork, directory: Path, *, fingerprint: str) -> TextNetwork:
    """A late-interaction network that shares with `network` the weights which the adapter leaves alone.

    Raises ModelNotFound, ModelCorrupt, and UnsupportedModel if the adapter is for another network.
    """
    keys = (field.name for field in fields(TokenAdapterConfig))
    config = TokenAdapterConfig(**read_config(directory, FORMAT, keys))
    if (config.base, config.hidden_size) != (network.name, network.hidden_size):
        raise UnsupportedModel(network.name, f"{directory.name} was trained for {config.base}")
    weights = read_weights(directory)
    projection = torch.nn.Linear(config.hidden_size, config.dim, bias=False)
    try:
        projection.load_state_dict({"weight": weights.pop(_PROJECTION).float()})
        encoder = adapted_copy(network.network, weights, config.alpha / config.rank)
    except (KeyError, RuntimeError, AttributeError) as error:
        raise ModelCorrupt(str(directory / WEIGHTS_FILE), str(error).splitlines()[0]) from error
    return TextNetwork(
        encoder.eval().requires_grad_(False),
        network.tokenizer,
        name=f"{network.name}+{directory.name}",
        fingerprint=fingerprint,
        max_tokens=network.max_tokens,
        projection=projection.to(network.device).eval().requires_grad_(False),
        reading=config.reading,
    )


def save_token_adapter(
    directory: Path, config: TokenAdapterConfig, deltas: Mapping[str, torch.Tensor], projection: torch.Tensor
) -> None:
    """Writes what `adapt` reads."""
    save_weights(directory, {**deltas, _PROJECTION: projection})
    (directory / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")
