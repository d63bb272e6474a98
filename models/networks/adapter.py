"""Low-rank changes to a network (LoRA), added to a copy of it; `training.low_rank` makes them."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from models.errors import ModelCorrupt, ModelNotFound

WEIGHTS_FILE = "model.safetensors"


def adapted_copy(network: Any, deltas: Mapping[str, torch.Tensor], scale: float) -> Any:
    """A copy of `network` with low-rank changes added: W + scale * B @ A (Hu et al. 2021, eq. 3).

    `deltas` holds "<module>.lora_A" (rank, in) and "<module>.lora_B" (out, rank). Weights without a
    change are shared with `network`, so the copy costs only what differs.
    """
    changed = sorted({name.rsplit(".", 1)[0] for name in deltas})
    own = {f"{module}.weight" for module in changed}
    shared = {id(weight): weight for name, weight in network.named_parameters() if name not in own}
    adapted = copy.deepcopy(network, shared)
    for module in changed:
        weight = adapted.get_submodule(module).weight
        delta = deltas[f"{module}.lora_B"].float() @ deltas[f"{module}.lora_A"].float()
        weight.data = (weight.data.float() + scale * delta.to(weight.device)).to(weight.dtype)
    return adapted


def save_weights(directory: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Writes adapter weights in float16."""
    directory.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: weight.detach().half().cpu().contiguous() for name, weight in weights.items()},
        directory / WEIGHTS_FILE,
    )


def read_weights(directory: Path) -> dict[str, torch.Tensor]:
    """Reads what `save_weights` wrote. Raises ModelNotFound, ModelCorrupt."""
    file = directory / WEIGHTS_FILE
    try:
        return dict(load_file(file))
    except FileNotFoundError as error:
        raise ModelNotFound(directory.name, [str(file)]) from error
    except SafetensorError as error:
        raise ModelCorrupt(str(file), str(error)) from error


def read_config(directory: Path, format_: str, keys: Iterable[str]) -> dict[str, Any]:
    """The `config.json` beside adapter weights. Raises ModelNotFound, ModelCorrupt."""
    file = directory / "config.json"
    wanted = sorted(keys)
    try:
        config: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if config.get("format") != format_ or sorted(config) != wanted:
            raise ModelCorrupt(str(file), f"it is not {format_} with the keys {', '.join(wanted)}")
    except FileNotFoundError as error:
        raise ModelNotFound(directory.name, [str(file)]) from error
    except (ValueError, AttributeError) as error:
        raise ModelCorrupt(str(file), str(error)) from error
    return config


def digest(directory: Path) -> str:
    """A hash of everything that decides an adapter's output: configuration, tokenizer and weights."""
    total = hashlib.sha256()
    for file in sorted(directory.iterdir()):
        if file.suffix in (".json", ".safetensors"):
            with file.open("rb") as stream:
                total.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]
