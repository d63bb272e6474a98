"""A copy of a network whose low-rank changes (LoRA) can be trained, by peft."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

ENCODER_MODULES = ("query", "key", "value", "dense")
DECODER_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def low_rank(
    network: Any,
    *,
    rank: int,
    alpha: float,
    dropout: float,
    modules: Sequence[str] = ENCODER_MODULES,
    layers: Sequence[int] | None = None,
) -> Any:
    """A trainable copy of `network`: low-rank changes on its linear layers `modules`, all else frozen.

    `layers` are the numbers of the layers that are changed; default: all.
    """
    targets: str | list[str] = list(modules)
    if layers is not None:
        numbers, names = "|".join(map(str, layers)), "|".join(modules)
        targets = rf"(?:.*\.)?layers\.(?:{numbers})\..*\.(?:{names})"
    return get_peft_model(
        copy.deepcopy(network).requires_grad_(True),
        LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules=targets,
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
