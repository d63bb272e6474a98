"""Reads the parts that ColBERT checkpoints add to an encoder: a projection, and markers before texts."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from safetensors import SafetensorError, safe_open

from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.tokenizer import TextTokenizer

Role: TypeAlias = Literal["passage", "query"]

_WEIGHT, _BIAS = "linear.weight", "linear.bias"


@dataclass(frozen=True, slots=True)
class Reading:
    """The input format of a late-interaction model: the tokens it expects before, after and among a text's.

    `query_length` is the number of tokens, special ones counted, up to which queries are filled with mask
    tokens, whose vectors count too (ColBERT's query expansion); 0 fills none. Other tokens attend to them
    only with `attends_to_fill`. `special_tokens` says whether the vectors of special tokens and markers
    count. `skipped` are words without a vector in passages.
    """

    query_marker: str = ""
    passage_marker: str = ""
    query_length: int = 0
    attends_to_fill: bool = False
    special_tokens: bool = False
    skipped: tuple[str, ...] = ()


PUNCTUATION = tuple(string.punctuation)


def read_reading(directory: Path) -> Reading:
    """The input format that a checkpoint declares: PyLate's or Stanford ColBERT's settings, else plain.

    Raises ModelCorrupt.
    """
    pylate = _json(directory / "config_sentence_transformers.json")
    if "query_prefix" in pylate:
        fills = pylate.get("do_query_expansion", True)
        return Reading(
            query_marker=pylate["query_prefix"],
            passage_marker=pylate["document_prefix"],
            query_length=int(pylate.get("query_length") or 0) if fills else 0,
            attends_to_fill=bool(pylate.get("attend_to_expansion_tokens", False)),
            special_tokens=True,
            skipped=tuple(pylate.get("skiplist_words", PUNCTUATION)),
        )
    stanford = _json(directory / "artifact.metadata")
    if "query_token_id" in stanford:
        return Reading(
            query_marker=stanford["query_token_id"],
            passage_marker=stanford["doc_token_id"],
            query_length=int(stanford.get("query_maxlen") or 0),
            attends_to_fill=bool(stanford.get("attend_to_mask_tokens", False)),
            special_tokens=True,
            skipped=PUNCTUATION if stanford.get("mask_punctuation", True) else (),
        )
    return Reading()


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


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ModelCorrupt(str(file), str(error)) from error
    return found if isinstance(found, dict) else {}


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
