"""Beam search that only ever writes n-grams of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.ngrams.corpus import NgramCorpus, Range
from retrieval.ngrams.language_tree import ROOT, Tree
from retrieval.types import Bits


@dataclass(frozen=True, slots=True)
class Ngram:
    """An n-gram of the corpus: its tokens, log p(n-gram | question), and where it occurs."""

    ids: tuple[int, ...]
    log_probability: float
    found: Range


def generate(tree: Tree, corpus: NgramCorpus, *, beams: int, length: int, openers: Bits) -> list[Ngram]:
    """Every n-gram the search met, each of up to `length` tokens and found in an allowed passage.

    The corpus decides which tokens may follow, the model alone how probable they are: probabilities are
    not renormalised over what is allowed. At each step the 2 * `beams` best extensions are kept as
    n-grams and the first half of them is extended further. The first token must be one of `openers` (V,).
    Ties go to the better beam, then to the smaller token id. SEAL, Bevilacqua et al. 2022, section 3.2.
    """
    beam = [Ngram((), 0.0, corpus.root)]
    rows = tree.root[None, :]
    nodes = range(ROOT, ROOT + 1)
    met: list[Ngram] = []
    for depth in range(length):
        # A parent's place stands beside each candidate: it is the tie-break and the node to extend.
        candidates = [
            (at, Ngram((*parent.ids, token), parent.log_probability + float(rows[at, token]), found))
            for at, parent in enumerate(beam)
            for token, found in corpus.best_children(
                parent.found, rows[at], 2 * beams, only=openers if depth == 0 else None
            )
        ]
        candidates.sort(key=lambda pair: (-pair[1].log_probability, pair[0], pair[1].ids[-1]))
        met.extend(ngram for _, ngram in candidates[: 2 * beams])
        kept = candidates[:beams]
        if not kept or depth + 1 == length:
            break
        beam = [ngram for _, ngram in kept]
        nodes, rows = tree.grow([nodes[at] for at, _ in kept], [ngram.ids[-1] for ngram in beam])
    return met
