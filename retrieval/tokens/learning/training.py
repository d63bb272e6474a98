"""Trains low-rank changes and a projection, so that token vectors are shorter and rank better."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import normalize

from models import TextNetwork
from models.adapter import low_rank, low_rank_weights
from models.device import pick_dtype
from retrieval.tokens.learning.examples import TrainingSet, batches
from retrieval.tokens.learning.objective import late_interaction_loss, maxsim_scores

_SAMPLE = 400  # passages whose tokens give the projection's first directions


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the encoder is trained; a batch has `passages` answers, and about as many wrong passages."""

    epochs: int = 3
    dim: int = 128
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 5e-4
    warmup: float = 0.06
    passages: int = 24
    questions: int = 3
    window: int = 128
    depth: int = 10
    k: int = 64
    temperature: float = 0.02
    masked_share: float = 0.5
    teacher_share: float = 0.3
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

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors (b, n, dim)."""
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self._mixed):
            states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return normalize(states.float() @ self.projection.T, dim=-1)

    @torch.no_grad()
    def teacher(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors (b, n, hidden) of the network without changes."""
        with (
            self.encoder.disable_adapter(),
            torch.autocast(ids.device.type, torch.bfloat16, enabled=self._mixed),
        ):
            states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return normalize(states.float(), dim=-1)


def train(network: TextNetwork, data: TrainingSet, recipe: Recipe, progress: Progress) -> Trained:
    """Minimises `late_interaction_loss` over all examples.

    `network`, which needs its markers, stays as it is. The same seed, data and number of threads give
    the same weights.
    """
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)  # noqa: S311
    student = Student(network, recipe, principal_axes(network, data.texts, recipe))
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.01)
    plan = [
        batch
        for _ in range(recipe.epochs)
        for batch in batches(
            data, passages=recipe.passages, questions=recipe.questions, depth=recipe.depth, rng=rng
        )
    ]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=len(plan) + 1, pct_start=recipe.warmup
    )
    for step, (passages, asked) in enumerate(plan, start=1):
        loss = _loss(network, student, data, recipe, passages, asked)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        progress(step, len(plan), float(loss.detach()))
    return Trained(low_rank_weights(student.encoder), student.projection.detach())


def _loss(
    network: TextNetwork,
    student: Student,
    data: TrainingSet,
    recipe: Recipe,
    passages: Sequence[int],
    asked: Sequence[tuple[str, int]],
) -> torch.Tensor:
    texts = [data.texts[number] for number in passages]
    ids, mask, own = network.frame(texts, role="passage", window=recipe.window)
    asked_ids, asked_mask, asked_own = network.frame(
        [question for question, _ in asked], role="query", window=64
    )
    best, kth = maxsim_scores(
        student.vectors(asked_ids, asked_mask), asked_own, student.vectors(ids, mask), own, recipe.k
    )
    teacher = None
    if recipe.teacher_share:
        seen, _ = maxsim_scores(
            student.teacher(asked_ids, asked_mask), asked_own, student.teacher(ids, mask), own, 1
        )
        teacher = seen.sum(1) / asked_own.sum(1, keepdim=True)
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
        teacher_share=recipe.teacher_share,
    )


@torch.no_grad()
def principal_axes(network: TextNetwork, texts: Sequence[str], recipe: Recipe) -> torch.Tensor:
    """The first projection (dim, hidden): the axes along which token vectors differ most."""
    rng = random.Random(recipe.seed)  # noqa: S311
    sample = [texts[at] for at in sorted(rng.sample(range(len(texts)), min(_SAMPLE, len(texts))))]
    rows = torch.cat(
        [normalize(torch.from_numpy(state.vectors), dim=-1) for state in network.hidden_states(sample)]
    ).double()
    axes: torch.Tensor = torch.linalg.eigh(rows.T @ rows).eigenvectors
    return axes.flip(1)[:, : recipe.dim].T.float().contiguous().to(network.device)
