"""Low-rank changes to a network (LoRA): made by training, added to a copy when they are loaded."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from models.errors import ModelCorrupt, ModelNotFound

WEIGHTS_FILE = "model.safetensors"


def low_rank(network: Any, *, rank: int, alpha: float, dropout: float) -> Any:
    """A trainable copy of `network`: low-rank changes on every linear layer, all else frozen."""
    return get_peft_model(
        copy.deepcopy(network).requires_grad_(True),
        LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules=["query", "key", "value", "dense"],
        ),
    )


def low_rank_weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The trained factors, "<module>.lora_A" and "<module>.lora_B", under the plain network's names."""
    deltas = {}
    for name, module in network.named_modules():
        if "default" in getattr(module, "lora_A", {}):
            plain = name.removeprefix("base_model.model.")
            deltas[f"{plain}.lora_A"] = module.lora_A["default"].weight.detach()
            deltas[f"{plain}.lora_B"] = module.lora_B["default"].weight.detach()
    return deltas


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


def digest(directory: Path) -> str:
    """A hash of everything that decides an adapter's output: configuration, tokenizer and weights."""
    total = hashlib.sha256()
    for file in sorted(directory.iterdir()):
        if file.suffix in (".json", ".safetensors"):
            with file.open("rb") as stream:
                total.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]
