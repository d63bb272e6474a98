"""A copy of a network whose low-rank changes (LoRA) can be trained, by peft."""

from __future__ import annotations

import copy
from typing import Any

import torch
from peft import LoraConfig, get_peft_model


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
