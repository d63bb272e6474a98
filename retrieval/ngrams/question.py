"""The question's own words as n-grams."""

from __future__ import annotations

import math
from collections.abc import Sequence

from retrieval.ngrams.beam import Ngram
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.language_tree import ROOT, Tree

_NODES_A_CALL = 64


def question_ngrams(
    tree: Tree | None, corpus: NgramCorpus, sequences: Sequence[tuple[int, ...]], probability: float | None
) -> list[Ngram]:
    """The token sequences that occur in an allowed passage, as n-grams; each once, in order.

    Each has the same `probability` of being in a passage that answers; None asks the model, by `tree`.
    """
    found = {ids: corpus.find(ids) for ids in dict.fromkeys(sequences) if ids}
    present = [ids for ids, rows in found.items() if corpus.exists(rows)]
    if probability is not None:
        scores = [math.log(probability)] * len(present)
    elif tree is not None:
        scores = log_probabilities(tree, present)
    else:
        raise ValueError("a tree is needed to ask the model for probabilities")
    return [Ngram(ids, score, found[ids]) for ids, score in zip(present, scores, strict=True)]


def log_probabilities(tree: Tree, sequences: Sequence[tuple[int, ...]]) -> list[float]:
    """log p of each sequence after the tree's prompt; common beginnings are read once."""
    beginnings = {ids[:size] for ids in sequences for size in range(1, len(ids))}
    wanted: dict[tuple[int, ...], set[int]] = {}
    for ids in beginnings | set(sequences):
        wanted.setdefault(ids[:-1], set()).add(ids[-1])
    scores: dict[tuple[int, ...], float] = {(): 0.0} | {
        (token,): float(tree.root[token]) for token in wanted.get((), ())
    }
    node_of: dict[tuple[int, ...], int] = {(): ROOT}
    # Shorter first, so that a beginning is read before, or in the same call as, what extends it.
    order = sorted(beginnings, key=lambda ids: (len(ids), ids))
    for start in range(0, len(order), _NODES_A_CALL):
        batch = order[start : start + _NODES_A_CALL]
        node_of.update(zip(batch, range(tree.size, tree.size + len(batch)), strict=True))
        _, rows = tree.grow([node_of[ids[:-1]] for ids in batch], [ids[-1] for ids in batch])
        for ids, row in zip(batch, rows, strict=True):
            scores.update({(*ids, token): scores[ids] + float(row[token]) for token in wanted[ids]})
    return [scores[ids] for ids in sequences]
