"""ICR: passages ranked by the attention that the question pays to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from excerpta.types.rerank import Icr
from numpy.typing import NDArray

from base.errors import InputTooLong
from base.methods import Method
from models.attention.maps import batched_attention_maps, first_layers
from models.networks.language_model import LanguageModel
from rerank.attention import Span, layers_between, passage_scores
from rerank.base import Passages, Ranking
from rerank.fit import fair_cap
from rerank.network import require_finite
from rerank.prompts import AttentionPrompt, attention_prompt
from rerank.windows import slide


@dataclass(frozen=True, slots=True)
class Context:
    """The token ids of the passages in one prompt, where each passage stands, and how many were cut."""

    ids: list[int]
    spans: list[Span]
    cut: int


class AttentionReranker:
    """Ranks by attention, without training and without writing (Chen et al. 2024, In-Context Reranking).

    All passages stand in one prompt, read once; the question and a neutral one ("N/A") follow in one more
    call over the kept keys. A token's score is the attention it gets from the tokens behind the passages,
    summed over heads and layers, less what the neutral question pays. Reading ends at the last layer used.
    What stands next to the question gets a little more, so the first passages stand there by default.
    It works with every decoder whose attention is over everything before; windows make it worse.
    """

    def __init__(self, lm: LanguageModel, prompt: AttentionPrompt | None = None) -> None:
        self._lm = lm
        self._prompt = prompt or attention_prompt()
        self._head = lm.encode(self._prompt.head)
        self._after = lm.encode(self._prompt.after)

    def rank(self, query: str, passages: Passages, options: Icr) -> Ranking:
        """Ranks the passages for `query`; a blank question or a single passage keeps the order."""
        texts = passages.texts
        if len(texts) < 2 or not query.strip():
            return Ranking.unchanged(len(texts))
        layers = layers_between(self._lm.geometry.layers, options.layers_from, options.layers_to)
        asked = self.question(query, options.query_tokens)
        questions = [asked, self.question(self._prompt.neutral)] if options.calibrate else [asked]
        tokenized = self._lm.tokenize([f" {text.strip()}" for text in texts])
        tokens = [one.ids[: options.passage_tokens].tolist() for one in tokenized]
        longest = max(map(len, questions))
        tokens_read, cut = 0, 0

        def score(items: NDArray[np.int64]) -> NDArray[np.float64]:
            nonlocal tokens_read, cut
            shown = items[::-1] if options.reverse else items
            context = self.context([tokens[item] for item in shown], longest)
            tokens_read += len(context.ids) + sum(map(len, questions))
            cut = max(cut, context.cut)
            paid = self.attention(context.ids, questions, layers)
            neutral = paid[1] if options.calibrate else None
            found = passage_scores(paid[0], neutral, context.spans, options.deviations)
            return require_finite(self._lm, found[::-1] if options.reverse else found)

        order, scores, windows = slide(len(texts), options.window, options.stride, score)
        return Ranking(order, scores, 2 * windows, tokens_read, cut)

    def question(self, query: str, limit: int | None = None) -> list[int]:
        """The tokens behind the passages; of the question at most `limit`."""
        before, _, behind = self._prompt.question.partition("{query}")
        asked = self._lm.encode(f"{before}{query.strip()}")
        if limit is not None:
            asked = asked[: len(self._lm.encode(before)) + limit]
        return asked + self._lm.encode(behind)

    def context(self, passages: Sequence[Sequence[int]], question: int) -> Context:
        """The prompt of these passages with room for `question` tokens; passages are cut alike until it fits.

        Raises InputTooLong where not even one token of each passage would fit.
        """
        labels = [self._lm.encode(self._prompt.label.format(number=at + 1)) for at in range(len(passages))]
        frame = len(self._head) + sum(map(len, labels)) + len(self._after) * len(passages)
        room = self._lm.max_positions - frame - question
        if room < len(passages):
            needed = frame + question + len(passages)
            raise InputTooLong("the query with the ranking prompt", needed, self._lm.max_positions)
        cap = fair_cap([len(one) for one in passages], room)
        ids, spans = list(self._head), []
        for label, passage in zip(labels, passages, strict=True):
            ids += label
            spans.append((len(ids), len(ids) + len(passage[:cap])))
            ids += [*passage[:cap], *self._after]
        return Context(ids, spans, sum(len(passage) > cap for passage in passages))

    def attention(
        self, context: Sequence[int], questions: Sequence[Sequence[int]], layers: range
    ) -> list[NDArray[np.float64]]:
        """What each question pays to each token of the context: (tokens,), the mean over its own tokens.

        Two calls: one over the context, which ends where `layers` do, and one over all questions.
        """
        block = first_layers(self._lm, context, layers[-1] + 1)

        def paid(weights: torch.Tensor) -> torch.Tensor:
            return weights[:, :, : block.tokens].mean(dim=1).sum(dim=0)

        maps = batched_attention_maps(self._lm, questions, layers=layers, past=block, reduce=paid)
        return [one.stacked.sum(dim=0).double().cpu().numpy() for one in maps]


METHOD = Method(
    Icr,
    lambda networks: AttentionReranker(networks.lm),
    frozenset({"lm"}),
    "SmolLM2-135M: MRR .82 on lists of BM25's 20 hardest by one layer, .64 by all (docs/notes/reranking.md)",
)
