"""Trains low-rank changes, so that a language model writes n-grams of the passage that answers a question."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from models.device import pick_dtype
from models.networks.language_model import LanguageModel
from retrieval.ngrams.prompt import question_ids
from training.branches import branched
from training.data.writing import WritingSet, Written, batches
from training.loop import Descent, Loop, seeded
from training.low_rank import DECODER_MODULES, low_rank, low_rank_weights
from training.recipes.ngrams.recipe import NgramRecipe


class Student(torch.nn.Module):
    """The language model with trainable changes in its upper layers; its head stays as it is."""

    def __init__(self, lm: LanguageModel, recipe: NgramRecipe) -> None:
        super().__init__()
        self.body = low_rank(
            lm.model.base_model,
            rank=recipe.rank,
            alpha=recipe.alpha,
            dropout=recipe.dropout,
            modules=DECODER_MODULES,
            layers=range(recipe.first_layer, lm.model.config.num_hidden_layers),
        )
        self._head = lm.model.get_output_embeddings().weight
        self._mixed = pick_dtype("auto", lm.device) is torch.bfloat16

    def forward(
        self, prompt: Sequence[int], spans: Sequence[Sequence[int]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (n, V) before each token of the spans, and these tokens (n,); the prompt is read once."""
        device = self._head.device
        one = branched([[*prompt, *span] for span in spans], device, common=len(prompt))
        with torch.autocast(device.type, torch.bfloat16, enabled=self._mixed):
            hidden = self.body(
                input_ids=one.ids, position_ids=one.positions, attention_mask=one.mask, use_cache=False
            ).last_hidden_state[0, one.before]
            logits = hidden @ self._head.T.to(hidden.dtype)
        return logits.float(), one.ids[0, len(prompt) :]


def train(
    lm: LanguageModel, sets: Sequence[WritingSet], recipe: NgramRecipe, loop: Loop
) -> dict[str, torch.Tensor]:
    """Minimises the smoothed cross-entropy of the spans' tokens; returns the low-rank changes by module.

    `lm` stays as it is. The same seed, data and number of threads give the same weights.
    """
    rng = seeded(recipe.seed)
    student = Student(lm, recipe).train()
    weights = {name: weight for name, weight in student.named_parameters() if weight.requires_grad}
    descent = Descent("spans", recipe.steps, recipe.learning_rate, recipe.warmup)
    loop.expect(descent.steps)

    def loss(batch: Sequence[Written]) -> torch.Tensor:
        return torch.stack([_span_loss(lm, student, one, recipe.smoothing) for one in batch]).mean()

    loop.descend(
        descent, weights, batches(sets, size=recipe.batch, sentences=recipe.sentences, rng=rng), loss
    )
    return low_rank_weights(student.body)


def _span_loss(lm: LanguageModel, student: Student, one: Written, smoothing: float) -> torch.Tensor:
    logits, wanted = student(question_ids(lm, one.question), one.spans)
    return cross_entropy(logits, wanted, label_smoothing=smoothing)
