"""Trains low-rank changes and a projection, so that token vectors are shorter and rank better."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from models import TextNetwork
from training.data.contrastive import TrainingSet, batches
from training.loop import Descent, Loop, seeded
from training.low_rank import low_rank_weights
from training.recipes.tokens.objective import late_interaction_loss, maxsim_scores
from training.recipes.tokens.recipe import TokensRecipe
from training.recipes.tokens.student import Student

Batch = tuple[list[int], list[tuple[str, int]]]
"""Numbers of passages, and (question, its passage's place among them) pairs."""

_SAMPLE = 400  # passages whose tokens give the projection's first directions


@dataclass(frozen=True, slots=True)
class Trained:
    """The low-rank changes by module and the projection (dim, hidden)."""

    deltas: dict[str, torch.Tensor]
    projection: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Stage:
    """Steps that change the same weights at the same rate; `alone` if that is the projection only."""

    descent: Descent
    teacher_share: float
    alone: bool


def train(network: TextNetwork, data: TrainingSet, recipe: TokensRecipe, loop: Loop) -> Trained:
    """Minimises `late_interaction_loss`: over the projection alone, then over all weights that train.

    The projection starts from the principal axes of token vectors; without its own steps, most of the
    others would go into finding a better one. Of what the second stage changes only `kept` stays, as
    weights between those of before and after are often better on texts unlike the training's (Wortsman
    et al. 2022). `network`, read with its markers if it has any, stays as it is. The same seed, data and
    number of threads give the same weights.
    """
    rng = seeded(recipe.seed)
    student = Student(network, recipe, principal_axes(network, data.texts, recipe))
    first, second = _stages(data, recipe)
    loop.expect(first.descent.steps + second.descent.steps)
    _descend(network, student, data, recipe, first, rng, loop)
    before = student.projection.detach().clone()
    _descend(network, student, data, recipe, second, rng, loop)
    # Without an epoch they are all zero, and a file without them loads as well.
    deltas = low_rank_weights(student.encoder) if recipe.epochs else {}
    for name in deltas:
        if name.endswith(".lora_B"):
            deltas[name] = deltas[name] * recipe.kept
    return Trained(deltas, before.lerp(student.projection.detach(), recipe.kept))


def _stages(data: TrainingSet, recipe: TokensRecipe) -> tuple[_Stage, _Stage]:
    steps = recipe.epochs * -(-len(data.examples) // recipe.passages)
    alone = Descent("projection", recipe.projection_steps, recipe.projection_rate, recipe.warmup)
    together = Descent("together", steps, recipe.learning_rate, recipe.warmup)
    return (
        _Stage(alone, recipe.projection_teacher_share, alone=True),
        _Stage(together, recipe.teacher_share, alone=False),
    )


def _descend(
    network: TextNetwork,
    student: Student,
    data: TrainingSet,
    recipe: TokensRecipe,
    stage: _Stage,
    rng: random.Random,
    loop: Loop,
) -> None:
    weights = {name: weight for name, weight in student.named_parameters() if weight.requires_grad}
    if stage.alone:
        weights = {"projection": student.projection}

    def loss(batch: Batch) -> torch.Tensor:
        return _loss(network, student, data, recipe, stage, *batch)

    loop.descend(stage.descent, weights, _endless(data, recipe, rng), loss)


def _endless(data: TrainingSet, recipe: TokensRecipe, rng: random.Random) -> Iterator[Batch]:
    """Batches of one epoch after the other."""
    while True:
        yield from batches(
            data, passages=recipe.passages, questions=recipe.questions, depth=recipe.depth, rng=rng
        )


def _loss(
    network: TextNetwork,
    student: Student,
    data: TrainingSet,
    recipe: TokensRecipe,
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
def principal_axes(network: TextNetwork, texts: Sequence[str], recipe: TokensRecipe) -> torch.Tensor:
    """The first projection (dim, hidden): the axes along which token vectors differ most."""
    rng = random.Random(recipe.seed)
    sample = [texts[at] for at in sorted(rng.sample(range(len(texts)), min(_SAMPLE, len(texts))))]
    rows = torch.cat(
        [normalize(torch.from_numpy(state.vectors), dim=-1) for state in network.hidden_states(sample)]
    ).double()
    axes: torch.Tensor = torch.linalg.eigh(rows.T @ rows).eigenvectors
    return axes.flip(1)[:, : recipe.dim].T.float().contiguous().to(network.device)
