"""FIRST: a listwise ranking read off the logits of one token."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

import numpy as np
from excerpta.types.rerank import First
from numpy.typing import NDArray

from base.errors import InputTooLong
from base.methods import Method
from models.errors import UnsupportedModel
from rerank.base import Passages, Ranking
from rerank.fit import fair_cap, first_words
from rerank.network import CausalNetwork, cut_to_tokens, require_finite
from rerank.prompts import ListwisePrompt, first_prompt
from rerank.windows import slide

LETTERS = string.ascii_uppercase[:20]
_BRACKETED_LETTER = re.compile(r"\[([A-Za-z])\]")


class FirstReranker:
    """Ranks up to 20 passages with one forward pass and no decoding (Gangi Reddy et al. 2024).

    The passages stand in one prompt as [A] to [T]; the answer is opened with `[`, and the logits of the
    letters at that place, sorted, are the ranking. More passages go through windows of `window` with
    `stride`, back to front. Scores are the softmax over the letters of the last window that held a
    passage: between two windows they cannot be compared, `order` can.

    The letters have to be trained. Untrained, a 135M model (SmolLM2-135M-Instruct) answers "A" for 40 of
    40 lists and ranks at chance: MRR .21 over 10 shuffled passages, where random order has .29.
    """

    def __init__(self, lm: CausalNetwork, prompt: ListwisePrompt | None = None) -> None:
        self._lm = lm
        self._prompt = prompt or first_prompt()
        self._letters = letter_ids(lm, self._prompt)

    def rank(self, query: str, passages: Passages, options: First) -> Ranking:
        """Ranks the passages for `query`; one passage or none needs no forward pass."""
        texts = passages.texts
        if len(texts) < 2:
            return Ranking(np.arange(len(texts), dtype=np.int64), np.ones(len(texts)), 0, 0)
        lines = [one_line(text, options.passage_words) for text in texts]
        tokens_read = 0

        def score(items: NDArray[np.int64]) -> NDArray[np.float64]:
            nonlocal tokens_read
            prompt = self.window_prompt(query, [lines[item] for item in items])
            tokens_read += len(prompt)
            logits = self._lm.next_logits(prompt, self._letters[: len(items)])
            return _softmax(require_finite(self._lm, np.asarray(logits, dtype=np.float64)))

        order, scores, passes = slide(len(texts), options.window, options.stride, score)
        return Ranking(order, scores, passes, tokens_read)

    def window_prompt(self, query: str, lines: Sequence[str]) -> list[int]:
        """The token ids of one window; only passages are cut, until it fits the model's positions."""
        limit = self._lm.max_positions
        prompt = self._chat(query, lines)
        if len(prompt) <= limit:
            return prompt
        bare = len(self._chat(query, [""] * len(lines)))
        if bare + len(lines) > limit:
            raise InputTooLong("the query with the ranking prompt", bare + len(lines), limit)
        lengths = [len(tokens.ids) for tokens in self._lm.tokenize(lines)]
        budget = limit - bare
        while len(prompt) > limit:
            # Tokens can split anew where a passage is cut, so the sum of the parts is only an estimate.
            prompt = self._chat(query, cut_to_tokens(self._lm, lines, fair_cap(lengths, budget)))
            budget -= max(len(prompt) - limit, 0)
        return prompt

    def _chat(self, query: str, lines: Sequence[str]) -> list[int]:
        messages = listwise_messages(self._prompt, query, lines)
        return self._lm.chat(messages, assistant_prefix=self._prompt.answer)


def listwise_messages(prompt: ListwisePrompt, query: str, lines: Sequence[str]) -> list[dict[str, str]]:
    """The chat that asks for a ranking of `lines` under the letters A, B, ..."""
    facts = {"num": len(lines), "query": one_line(query)}
    passages = (
        prompt.passage.format(letter=letter, text=line) for letter, line in zip(LETTERS, lines, strict=False)
    )
    content = prompt.head.format(**facts) + "".join(passages) + prompt.tail.format(**facts)
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": content}]


def one_line(text: str, words: int = 10_000) -> str:
    """The text's first words on one line, with nothing in it that looks like an identifier.

    >>> one_line("as in [A],\\n see [12]")
    'as in (A), see [12]'
    """
    return _BRACKETED_LETTER.sub(r"(\1)", first_words(text, words))


def letter_ids(lm: CausalNetwork, prompt: ListwisePrompt) -> list[int]:
    """The token ids of A to T where the answer begins; raises where a letter is not one token there.

    They are found by encoding the whole chat with and without the letter, because a letter's id
    depends on what stands before it, and some tokenizers merge `[A` into one token.
    """
    messages = listwise_messages(prompt, "query", ["passage"])
    opened = lm.chat(messages, assistant_prefix=prompt.answer)
    ids = []
    for letter in LETTERS:
        answered = lm.chat(messages, assistant_prefix=prompt.answer + letter)
        if len(answered) != len(opened) + 1 or answered[:-1] != opened:
            raise UnsupportedModel(lm.name, f"its tokenizer does not read {letter!r} after '[' as one token")
        ids.append(answered[-1])
    if len(set(ids)) < len(LETTERS):
        raise UnsupportedModel(lm.name, "its tokenizer gives two letters the same token")
    return ids


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max())
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


METHOD = Method(First, lambda networks: FirstReranker(networks.lm), frozenset({"lm"}))
