"""Trains low-rank changes and letter rows, so that a language model ranks a list by one letter."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from models.device import pick_dtype
from models.networks.language_model import LanguageModel
from rerank.letters import LETTERS, letter_ids, listwise_messages, one_line
from rerank.prompts import ListwisePrompt
from training.branches import branched
from training.data.lists import ListSet, PassageList, shown
from training.data.orders import endless
from training.loop import Descent, Loop, seeded
from training.low_rank import DECODER_MODULES, low_rank, low_rank_weights
from training.recipes.first.objective import letter_loss
from training.recipes.first.recipe import FirstRecipe

_EASY = 4
_LONGEST = len(LETTERS)


@dataclass(frozen=True, slots=True)
class Trained:
    """The low-rank changes by module, and the rows of the head (20, hidden) that read the letters."""

    deltas: dict[str, torch.Tensor]
    letters: torch.Tensor


class Student(torch.nn.Module):
    """The language model with trainable changes in its upper layers, and letter rows of its own."""

    def __init__(self, lm: LanguageModel, prompt: ListwisePrompt, recipe: FirstRecipe) -> None:
        super().__init__()
        layers = range(recipe.first_layer, lm.model.config.num_hidden_layers)
        body = lm.model.base_model
        self.body = low_rank(
            body,
            rank=recipe.rank,
            alpha=recipe.alpha,
            dropout=recipe.dropout,
            modules=DECODER_MODULES,
            layers=layers,
        )
        rows = lm.model.get_output_embeddings().weight[letter_ids(lm, prompt)]
        self.letters = torch.nn.Parameter(rows.detach().float().clone())
        self._mixed = pick_dtype("auto", lm.device) is torch.bfloat16

    def forward(self, prompts: Sequence[Sequence[int]], size: int) -> torch.Tensor:
        """Logits (b, size) of the letters after each prompt; what all begin with is read once."""
        device = self.letters.device
        one = branched(prompts, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self._mixed):
            hidden = self.body(
                input_ids=one.ids, position_ids=one.positions, attention_mask=one.mask, use_cache=False
            ).last_hidden_state[0, one.ends]
        return hidden.float() @ self.letters[:size].T


def train(
    lm: LanguageModel, prompt: ListwisePrompt, sets: Sequence[ListSet], recipe: FirstRecipe, loop: Loop
) -> Trained:
    """Minimises the cross-entropy of the right passage's letter over random lists.

    `lm` stays as it is. The same seed, data and number of threads give the same weights.
    """
    rng = seeded(recipe.seed)
    student = Student(lm, prompt, recipe).train()
    weights = {name: weight for name, weight in student.named_parameters() if weight.requires_grad}
    descent = Descent("letters", recipe.steps, recipe.learning_rate, recipe.warmup)
    loop.expect(descent.steps)

    def loss(batch: PassageList) -> torch.Tensor:
        places = torch.tensor([place for _, place in batch.asked], device=student.letters.device)
        return letter_loss(student(prompts_of(lm, prompt, batch), len(batch.passages)), places)

    loop.descend(descent, weights, lists(sets, recipe, rng), loss)
    return Trained(low_rank_weights(student.body), student.letters.detach())


def prompts_of(lm: LanguageModel, prompt: ListwisePrompt, batch: PassageList) -> list[list[int]]:
    """The token ids of each question over the list, up to where its letter stands."""
    lines = [one_line(text) for text in batch.passages]
    return [
        lm.chat(listwise_messages(prompt, question, lines), assistant_prefix=prompt.answer)
        for question, _ in batch.asked
    ]


def lists(sets: Sequence[ListSet], recipe: FirstRecipe, rng: random.Random) -> Iterator[PassageList]:
    """Endless lists: short ones first, then of `passages`, and some of any length up to 20.

    The sets take turns by the root of their number of questions, so that a small one is heard; each goes
    through its questions in random order.
    """
    turns = [len(data.asked) ** 0.5 for data in sets]
    orders = [endless(len(data.asked), rng) for data in sets]
    step = 0
    while True:
        at = rng.choices(range(len(sets)), turns)[0]
        size = _EASY if step < recipe.easy else recipe.passages
        if step >= recipe.easy and rng.random() < recipe.long_share:
            size = rng.randint(recipe.passages, _LONGEST)
        yield shown(sets[at], next(orders[at]), size=size, most=recipe.questions_most, rng=rng)
        step += 1
