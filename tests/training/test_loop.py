"""The loop against plain PyTorch, and interrupted trainings against those that were not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from training.checkpoint import Checkpoint
from training.errors import CheckpointCorrupt, CheckpointMismatch, NoCheckpoint
from training.loop import Descent, Loop, seeded

FIRST = Descent("first", steps=7, rate=0.05, warmup=0.3)
SECOND = Descent("second", steps=9, rate=0.02, warmup=0.2)


class Interrupted(Exception):
    """Ends a training in the middle."""


def network():
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1))


def batches(rng: random.Random):
    while True:
        yield torch.tensor([[rng.random() for _ in range(4)] for _ in range(3)])


def train(loop: Loop, seed: int = 0) -> dict[str, torch.Tensor]:
    """Two stages, the first of which changes the last layer alone; dropout draws from PyTorch's generator."""
    rng = seeded(seed)
    model = network().train()
    weights = dict(model.named_parameters())
    loop.expect(FIRST.steps + SECOND.steps)
    last = {name: weight for name, weight in weights.items() if name.startswith("2.")}
    loop.descend(FIRST, last, batches(rng), lambda batch: loss(model, batch))
    loop.descend(SECOND, weights, batches(rng), lambda batch: loss(model, batch))
    return {name: weight.detach().clone() for name, weight in weights.items()}


def loss(model: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return (model(batch) - batch.sum(1, keepdim=True)).square().mean()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one | other)


def test_a_stage_equals_plain_pytorch():
    rng = seeded(3)
    model = network().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=10, pct_start=0.2)
    losses = []
    for batch, _ in zip(batches(rng), range(9), strict=False):
        value = loss(model, batch)
        losses.append(float(value.detach()))
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()

    rng = seeded(3)
    other, loop = network().train(), Loop()
    loop.descend(SECOND, dict(other.named_parameters()), batches(rng), lambda batch: loss(other, batch))
    assert equal(model.state_dict(), other.state_dict())
    assert loop.losses == {"second": losses}


@pytest.mark.parametrize("at", [1, 2, 6, 7, 8, 11, 15, 16])
@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_resumed_training_ends_as_if_it_had_not_been_interrupted(tmp_path, at, every):
    whole = Loop()
    wanted = train(whole)

    def interrupt(done, total, value):
        assert total == 16
        if done == at:
            raise Interrupted

    checkpoint = Checkpoint(tmp_path / "out.checkpoint", {"seed": 0}, every)
    with pytest.raises(Interrupted):
        train(Loop(interrupt, checkpoint=checkpoint))
    torch.manual_seed(99)  # another process begins elsewhere
    resume = checkpoint.file.exists()
    assert resume or at <= every
    steps: list[int] = []
    again = Loop(lambda done, total, value: steps.append(done), checkpoint=checkpoint, resume=resume)
    assert equal(train(again), wanted)
    assert again.losses == whole.losses
    assert again.steps == 16
    assert steps == list(range(steps[0], 17))
    assert steps[0] <= at


def test_a_finished_training_can_be_resumed_and_learns_nothing_more(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", {}, 4)
    wanted = train(Loop(checkpoint=checkpoint))
    steps: list[int] = []
    again = Loop(lambda *step: steps.append(step[0]), checkpoint=checkpoint, resume=True)
    assert equal(train(again), wanted)
    assert steps == []


@pytest.mark.parametrize("steps", [1, 2, 9])
@pytest.mark.parametrize("warmup", [0.0, 0.06, 0.1, 0.5, 1 / 3])
def test_short_stages_and_warm_ups_do_not_fail(steps, warmup):
    seeded(0)
    model, loop = network(), Loop()
    descent = Descent("short", steps, 0.01, warmup)
    loop.descend(descent, dict(model.named_parameters()), batches(random.Random(0)), lambda b: loss(model, b))
    assert loop.steps == steps


def test_the_seed_decides_everything():
    assert equal(train(Loop()), train(Loop()))
    assert not equal(train(Loop()), train(Loop(), seed=1))


def test_time_before_an_interruption_counts(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", {}, 1)
    train(Loop(checkpoint=checkpoint))
    state = checkpoint.load()
    checkpoint.save(replace(state, seconds=1000.0))
    assert Loop(checkpoint=checkpoint, resume=True).seconds >= 1000


def test_no_checkpoint_is_written_where_none_is_asked_for(tmp_path):
    train(Loop(checkpoint=Checkpoint(tmp_path / "c", {}, 0)))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    file = tmp_path / "c"
    train(Loop(checkpoint=Checkpoint(file, {"rank": 4, "data": "a", "seed": 0}, 1)))
    with pytest.raises(CheckpointMismatch, match="data, rank") as error:
        Checkpoint(file, {"rank": 8, "data": "b", "seed": 0}).load()
    assert error.value.differing == ["data", "rank"]


def test_a_missing_or_torn_checkpoint_is_named(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", {}, 1)
    with pytest.raises(NoCheckpoint, match="--resume"):
        Loop(checkpoint=checkpoint, resume=True)
    train(Loop(checkpoint=checkpoint))
    checkpoint.file.write_bytes(checkpoint.file.read_bytes()[:50])
    with pytest.raises(CheckpointCorrupt):
        Loop(checkpoint=checkpoint, resume=True)
    checkpoint.remove()
    assert not checkpoint.file.exists()
