"""The training loop of every recipe: AdamW, a one-cycle learning rate, clipped gradients, and resuming."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import torch

from training.checkpoint import Checkpoint, State

B = TypeVar("B")
Progress = Callable[[int, int, float], None]
"""Called after each step: steps done, steps in all, loss."""

_DECAY = 0.01
_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Descent:
    """One stage of a training: its steps, and its highest learning rate, reached after `warmup` of them."""

    name: str
    steps: int
    rate: float
    warmup: float


class Loop:
    """One training in one or several stages.

    A recipe is a function that seeds itself, makes its network and calls `descend` for each stage. Called
    again with the same seed, it makes the same batches, so a resumed training leaves out those that were
    learnt and goes on exactly as it would have.

    >>> weight = torch.nn.Parameter(torch.tensor([3.0]))
    >>> loop = Loop()
    >>> descent = Descent("all", steps=50, rate=0.5, warmup=0.1)
    >>> loop.descend(descent, {"w": weight}, [1.0] * 50, lambda goal: (weight - goal).square().sum())
    >>> bool(abs(weight - 1) < 0.1), len(loop.losses["all"])
    (True, 50)
    """

    def __init__(
        self,
        progress: Progress = lambda done, total, loss: None,
        *,
        checkpoint: Checkpoint | None = None,
        resume: bool = False,
    ) -> None:
        """Raises NoCheckpoint, CheckpointMismatch and CheckpointCorrupt where it cannot be resumed."""
        self._progress = progress
        self._checkpoint = checkpoint
        self._resumed = checkpoint.load() if checkpoint and resume else None
        self._state = State() if self._resumed is None else self._resumed
        self._before = self._state.seconds
        self._began = time.monotonic()
        self._expected = 0
        self._done = 0

    @property
    def losses(self) -> Mapping[str, list[float]]:
        """The loss of each step, by stage."""
        return self._state.losses

    @property
    def steps(self) -> int:
        """Steps done in all stages."""
        return sum(map(len, self.losses.values()))

    @property
    def seconds(self) -> float:
        """Time spent, interruptions left out."""
        return self._before + time.monotonic() - self._began

    def expect(self, steps: int) -> None:
        """Sets how many steps all stages have, for `progress`."""
        self._expected = steps

    def descend(
        self,
        descent: Descent,
        weights: Mapping[str, torch.nn.Parameter],
        batches: Iterable[B],
        loss: Callable[[B], torch.Tensor],
    ) -> None:
        """Minimises `loss` over `weights` for the stage's steps; there must be a batch for each."""
        taken = islice(batches, descent.steps)
        if self._is_finished(descent, weights):
            self._done += sum(1 for _ in taken)  # drawn, so that later batches are the same
            return
        if not descent.steps:
            return
        optimizer = torch.optim.AdamW(weights.values(), lr=descent.rate, weight_decay=_DECAY)
        optimizer.zero_grad(set_to_none=True)  # what earlier stages left on weights that they did not change
        schedule = _one_cycle(optimizer, descent)
        learnt = self._restore(descent, weights, optimizer, schedule)
        self._done += learnt
        for step, batch in enumerate(islice(taken, learnt, None), start=learnt + 1):
            value = _step(loss(batch), weights, optimizer)
            schedule.step()
            self._record(descent, step, value)
            if self._checkpoint and self._checkpoint.every and step % self._checkpoint.every == 0:
                self._save(descent, step, weights, optimizer)
        self._finish(descent, weights)

    def _is_finished(self, descent: Descent, weights: Mapping[str, torch.nn.Parameter]) -> bool:
        if self._resumed is None or descent.name not in self._resumed.finished:
            return False
        _fill(weights, self._resumed.finished[descent.name])
        _set_random(self._resumed.random)
        return True

    def _restore(
        self,
        descent: Descent,
        weights: Mapping[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> int:
        """Steps that were done before; everything is as it was after them."""
        state = self._resumed
        if state is None or state.stage != descent.name:
            return 0
        _fill(weights, state.weights)
        for name, weight in weights.items():
            if name in state.first:
                optimizer.state[weight] = {
                    "step": torch.tensor(float(state.step)),
                    "exp_avg": state.first[name].to(weight.device),
                    "exp_avg_sq": state.second[name].to(weight.device),
                }
        with warnings.catch_warnings():  # PyTorch expects a step of the optimizer before
            warnings.simplefilter("ignore")
            for _ in range(state.step):
                schedule.step()
        _set_random(state.random)
        return state.step

    def _record(self, descent: Descent, step: int, value: float) -> None:
        self._state.losses.setdefault(descent.name, []).append(value)
        self._done += 1
        self._progress(self._done, max(self._expected, self._done), value)

    def _finish(self, descent: Descent, weights: Mapping[str, torch.nn.Parameter]) -> None:
        if self._checkpoint is None or not self._checkpoint.every:
            return
        self._state.finished[descent.name] = {name: one.detach().clone() for name, one in weights.items()}
        self._state.stage, self._state.step = "", 0
        self._state.weights, self._state.first, self._state.second = {}, {}, {}
        self._write()

    def _save(
        self,
        descent: Descent,
        step: int,
        weights: Mapping[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        known = {name: optimizer.state[one] for name, one in weights.items() if optimizer.state.get(one)}
        state = self._state
        state.stage, state.step = descent.name, step
        state.weights = {name: one.detach() for name, one in weights.items()}
        state.first = {name: moments["exp_avg"] for name, moments in known.items()}
        state.second = {name: moments["exp_avg_sq"] for name, moments in known.items()}
        self._write()

    def _write(self) -> None:
        assert self._checkpoint is not None
        self._state.random = _random()
        self._state.seconds = self.seconds
        self._checkpoint.save(self._state)


def seeded(seed: int) -> random.Random:
    """Seeds PyTorch, and gives the generator that a recipe draws its batches with."""
    torch.manual_seed(seed)
    return random.Random(seed)


def _one_cycle(optimizer: torch.optim.Optimizer, descent: Descent) -> torch.optim.lr_scheduler.LRScheduler:
    total = descent.steps + 1
    # PyTorch divides by the length of the warm-up, which has one step less.
    warmup = 0.0 if total * descent.warmup == 1 else descent.warmup
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, descent.rate, total_steps=total, pct_start=warmup)


def _step(
    loss: torch.Tensor, weights: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> float:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights.values(), _LONGEST_GRADIENT)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


@torch.no_grad()
def _fill(weights: Mapping[str, torch.nn.Parameter], values: Mapping[str, torch.Tensor]) -> None:
    for name, weight in weights.items():
        weight.copy_(values[name])


def _random() -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random(states: Mapping[str, torch.Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
