"""What ColBERT checkpoints add to an encoder: a projection of its vectors, and markers of what is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from safetensors import SafetensorError, safe_open

from models.errors import ModelCorrupt, UnsupportedModel
from models.tokenizer import TextTokenizer

Role: TypeAlias = Literal["passage", "query"]

_WEIGHT, _BIAS = "linear.weight", "linear.bias"


def load_projection(directory: Path, device: torch.device) -> torch.nn.Linear | None:
    """The linear layer (hidden -> dim) over token vectors, in float32, or None where there is none.

    It is in `1_Dense/` of sentence-transformers directories, where it stands before any pooling, or in the
    checkpoint itself as `linear.weight`. Raises ModelCorrupt, and UnsupportedModel if it is not linear.
    """
    dense = directory / "1_Dense"
    if dense.is_dir():
        _require_linear(dense)
        weights = _read(dense / "model.safetensors")
    else:
        weights = _read(directory / "model.safetensors")
    if _WEIGHT not in weights:
        return None
    rows, columns = weights[_WEIGHT].shape
    projection = torch.nn.Linear(columns, rows, bias=_BIAS in weights)
    projection.load_state_dict({name.removeprefix("linear."): value for name, value in weights.items()})
    return projection.to(device).eval().requires_grad_(False)


def marker_ids(
    tokenizer: TextTokenizer, markers: Mapping[Role, str], model: str
) -> dict[Role, tuple[int, ...]]:
    """The token that stands before each kind of text; none for an empty marker. Raises UnsupportedModel."""
    ids: dict[Role, tuple[int, ...]] = {}
    for role, marker in markers.items():
        token = tokenizer.token_id(marker) if marker else None
        if marker and token is None:
            raise UnsupportedModel(model, f"its vocabulary has no {role} marker {marker!r}")
        ids[role] = () if token is None else (token,)
    return ids


def _read(file: Path) -> dict[str, torch.Tensor]:
    if not file.is_file():
        return {}
    try:
        with safe_open(file, framework="pt") as weights:
            present = set(weights.keys())
            return {name: weights.get_tensor(name).float() for name in (_WEIGHT, _BIAS) if name in present}
    except SafetensorError as error:
        raise ModelCorrupt(str(file), str(error)) from error


def _require_linear(dense: Path) -> None:
    try:
        activation = json.loads((dense / "config.json").read_text("utf-8"))["activation_function"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelCorrupt(str(dense / "config.json"), "it does not name an activation function") from error
    if not str(activation).endswith("Identity"):
        raise UnsupportedModel(str(dense), f"its projection has an activation, {activation}")
