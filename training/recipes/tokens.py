"""Trains low-rank changes and a projection, so that token vectors are shorter and rank better."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch.nn.functional import normalize

from models import TextNetwork
from models.device import pick_dtype
from training.data.contrastive import TrainingSet, batches
from training.low_rank import low_rank, low_rank_weights
from training.recipes.tokens_objective import late_interaction_loss, maxsim_scores

_SAMPLE = 400  # passages whose tokens give the projection's first directions


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the encoder is trained; a batch has `passages` answers, and about as many wrong passages."""

    epochs: int = 3
    dim: int = 128
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 2e-4
    warmup: float = 0.06
    passages: int = 20
    questions: int = 1
    window: int = 128
    depth: int = 10
    k: int = 64
    temperature: float = 0.02
    masked_share: float = 0.3
    teacher_share: float = 0.5
    projection_steps: int = 400
    projection_rate: float = 3e-4
    projection_teacher_share: float = 0.9
    kept: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """The low-rank changes by module and the projection (dim, hidden)."""

    deltas: dict[str, torch.Tensor]
    projection: torch.Tensor


Progress = Callable[[int, int, float], None]
"""Told after each step: steps done, steps in all, loss."""


class Student(torch.nn.Module):
    """The network with its changes and the projection, and the network as it was."""

    def __init__(self, network: TextNetwork, recipe: Recipe, projection: torch.Tensor) -> None:
        super().__init__()
        self.encoder: Any = low_rank(network.network, rank=recipe.rank, alpha=recipe.alpha, dropout=0.0)
        self.encoder.eval()  # no dropout: a few epochs of low rank need none
        self.projection = torch.nn.Parameter(projection.clone())
        self._mixed = pick_dtype("auto", network.device) is torch.bfloat16

    def states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states (b, n, hidden)."""
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self._mixed):
            states: torch.Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return states.float()

    @torch.no_grad()
    def unchanged(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states (b, n, hidden) of the network without changes."""
        with self.encoder.disable_adapter():
            return self.states(ids, mask)

    def projected(self, states: torch.Tensor) -> torch.Tensor:
        """Unit vectors (b, n, dim)."""
        return normalize(states @ self.projection.T, dim=-1)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Steps that change the same weights at the same rate; `alone` if that is the projection only."""

    steps: int
    rate: float
    teacher_share: float
    alone: bool


def train(network: TextNetwork, data: TrainingSet, recipe: Recipe, progress: Progress) -> Trained:
    """Minimises `late_interaction_loss`: over the projection alone, then over all weights that train.

    The projection starts from the principal axes of token vectors; without its own steps, most of the
    others would go into finding a better one. Of what the second stage changes only `kept` stays, as
    weights between those of before and after are often better on texts unlike the training's (Wortsman
    et al. 2022). `network`, read with its markers if it has any, stays as it is. The same seed, data and
    number of threads give the same weights.
    """
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    student = Student(network, recipe, principal_axes(network, data.texts, recipe))
    steps = recipe.epochs * -(-len(data.examples) // recipe.passages)
    first = _Stage(recipe.projection_steps, recipe.projection_rate, recipe.projection_teacher_share, True)
    second = _Stage(steps, recipe.learning_rate, recipe.teacher_share, False)
    total = first.steps + second.steps
    _descend(network, student, data, recipe, first, rng, lambda done, loss: progress(done, total, loss))
    before = student.projection.detach().clone()
    _descend(
        network,
        student,
        data,
        recipe,
        second,
        rng,
        lambda done, loss: progress(first.steps + done, total, loss),
    )
    # Without an epoch they are all zero, and a file without them loads as well.
    deltas = low_rank_weights(student.encoder) if recipe.epochs else {}
    for name in deltas:
        if name.endswith(".lora_B"):
            deltas[name] = deltas[name] * recipe.kept
    return Trained(deltas, before.lerp(student.projection.detach(), recipe.kept))


def _descend(
    network: TextNetwork,
    student: Student,
    data: TrainingSet,
    recipe: Recipe,
    stage: _Stage,
    rng: random.Random,
    progress: Callable[[int, float], None],
) -> None:
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    if stage.alone:
        weights = [student.projection]
    if not stage.steps:
        return
    optimizer = torch.optim.AdamW(weights, lr=stage.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, stage.rate, total_steps=stage.steps + 1, pct_start=recipe.warmup
    )
    for step, (passages, asked) in enumerate(islice(_endless(data, recipe, rng), stage.steps), start=1):
        loss = _loss(network, student, data, recipe, stage, passages, asked)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        progress(step, float(loss.detach()))


def _endless(
    data: TrainingSet, recipe: Recipe, rng: random.Random
) -> Iterator[tuple[list[int], list[tuple[str, int]]]]:
    """Batches of one epoch after the other."""
    while True:
        yield from batches(
            data, passages=recipe.passages, questions=recipe.questions, depth=recipe.depth, rng=rng
        )


def _loss(
    network: TextNetwork,
    student: Student,
    data: TrainingSet,
    recipe: Recipe,
    stage: _Stage,
    passages: Sequence[int],
    asked: Sequence[tuple[str, int]],
) -> torch.Tensor:
    ids, mask, own = network.frame(
        [data.texts[number] for number in passages], role="passage", window=recipe.window
    )
    asked_ids, asked_mask, asked_own = network.frame(
        [question for question, _ in asked], role="query", window=64
    )
    plain = teacher = None
    if stage.alone or stage.teacher_share:
        plain = student.unchanged(asked_ids, asked_mask), student.unchanged(ids, mask)
        unit = [normalize(states, dim=-1) for states in plain]
        seen, _ = maxsim_scores(unit[0], asked_own, unit[1], own, 1)
        teacher = seen.sum(1) / asked_own.sum(1, keepdim=True)
    if stage.alone and plain is not None:
        states = plain
    else:
        states = student.states(asked_ids, asked_mask), student.states(ids, mask)
    asked_vectors, vectors = map(student.projected, states)
    best, kth = maxsim_scores(asked_vectors, asked_own, vectors, own, recipe.k)
    targets = torch.tensor([place for _, place in asked], device=best.device)
    ignored = torch.tensor(
        [
            [at != place and number in data.relevant[question] for at, number in enumerate(passages)]
            for question, place in asked
        ],
        device=best.device,
    )
    return late_interaction_loss(
        best,
        kth,
        asked_own,
        targets,
        ignored,
        teacher,
        temperature=recipe.temperature,
        masked_share=recipe.masked_share,
        teacher_share=stage.teacher_share,
    )


@torch.no_grad()
def principal_axes(network: TextNetwork, texts: Sequence[str], recipe: Recipe) -> torch.Tensor:
    """The first projection (dim, hidden): the axes along which token vectors differ most."""
    rng = random.Random(recipe.seed)
    sample = [texts[at] for at in sorted(rng.sample(range(len(texts)), min(_SAMPLE, len(texts))))]
    rows = torch.cat(
        [normalize(torch.from_numpy(state.vectors), dim=-1) for state in network.hidden_states(sample)]
    ).double()
    axes: torch.Tensor = torch.linalg.eigh(rows.T @ rows).eigenvectors
    return axes.flip(1)[:, : recipe.dim].T.float().contiguous().to(network.device)
