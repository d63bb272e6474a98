"""How far a training has come, in one file: weights, moments, random state and losses."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training.errors import CheckpointCorrupt, CheckpointMismatch, NoCheckpoint

Tensors = dict[str, torch.Tensor]


@dataclass(slots=True)
class State:
    """A training after `step` steps of `stage`; `finished` has the weights at the end of earlier stages.

    `first` and `second` are AdamW's moments by weight; a weight without a gradient has none.
    """

    stage: str = ""
    step: int = 0
    weights: Tensors = field(default_factory=dict)
    first: Tensors = field(default_factory=dict)
    second: Tensors = field(default_factory=dict)
    random: Tensors = field(default_factory=dict)
    finished: dict[str, Tensors] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that is replaced every `every` steps; `identity` decides whether it fits a training."""

    file: Path
    identity: Mapping[str, Any]
    every: int = 100

    def save(self, state: State) -> None:
        """Writes the state beside the old one and puts it in its place."""
        groups = {name: getattr(state, name) for name in ("weights", "first", "second", "random")}
        groups |= {f"finished/{stage}": weights for stage, weights in state.finished.items()}
        tensors = {
            f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group, named in groups.items()
            for name, tensor in named.items()
        }
        facts = {name: getattr(state, name) for name in ("stage", "step", "losses", "seconds")}
        facts |= {"identity": self.identity, "finished": list(state.finished)}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_name(self.file.name + ".new")
        save_file(tensors, beside, {"state": json.dumps(facts)})
        os.replace(beside, self.file)

    def load(self) -> State:
        """Reads the state. Raises NoCheckpoint, CheckpointMismatch, CheckpointCorrupt."""
        if not self.file.exists():
            raise NoCheckpoint(str(self.file))
        try:
            with safe_open(self.file, "pt") as opened:
                facts = json.loads(opened.metadata()["state"])
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise CheckpointCorrupt(str(self.file), str(error)) from error
        self._compare(facts.pop("identity"))
        finished = {stage: _below(tensors, f"finished/{stage}/") for stage in facts.pop("finished")}
        return State(
            weights=_below(tensors, "weights/"),
            first=_below(tensors, "first/"),
            second=_below(tensors, "second/"),
            random=_below(tensors, "random/"),
            finished=finished,
            **facts,
        )

    def remove(self) -> None:
        """Deletes the file; a finished training needs none."""
        self.file.unlink(missing_ok=True)

    def _compare(self, found: Mapping[str, Any]) -> None:
        wanted = json.loads(json.dumps(self.identity))
        differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        if differing:
            raise CheckpointMismatch(str(self.file), differing)


def _below(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
