from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from base.errors import InputTooLong
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel
from retrieval.ngrams import reference
from retrieval.ngrams.beam import generate
from retrieval.ngrams.language_tree import ROOT, LanguageTree, Prefix
from retrieval.ngrams.question import question_ngrams
from retrieval.ngrams.words import openers, phrases
from tests.support.ngram_corpora import ALPHABET, Corpus, corpora
from tests.support.speeds import examples


class TableTree:
    """A model that is a table: log p depends on the path alone, rounded so that ties are common."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.paths: list[tuple[int, ...]] = [()]
        self.calls: list[int] = []

    def after(self, path: tuple[int, ...]) -> list[float]:
        rng = np.random.default_rng([self.seed, *path, len(path)])
        return [float(value) for value in -rng.integers(1, 4, ALPHABET) / 2]

    @property
    def root(self) -> NDArray[np.float32]:
        return np.array(self.after(()), np.float32)

    @property
    def size(self) -> int:
        return len(self.paths)

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> tuple[range, NDArray[np.float32]]:
        first = self.size
        for parent, token in zip(parents, tokens, strict=True):
            self.paths.append((*self.paths[parent], token))
        self.calls.append(len(tokens))
        return range(first, self.size), np.array(
            [self.after(path) for path in self.paths[first:]], np.float32
        )


@given(corpora(), st.integers(0, 2**16), st.integers(1, 4), st.integers(1, 5), st.sets(st.integers(0, 3)))
@settings(max_examples=examples(150))
def test_beam_equals_its_twin(corpus: Corpus, seed: int, beams: int, length: int, opening: set[int]) -> None:
    tree = TableTree(seed)
    bits = np.isin(np.arange(ALPHABET), list(opening))
    found = generate(tree, corpus.union(), beams=beams, length=length, openers=bits)
    expected = reference.beam_search(
        tree.after, corpus.live_passages, beams=beams, length=length, openers=opening
    )
    assert [(ngram.ids, ngram.log_probability) for ngram in found] == expected
    assert all(size <= beams for size in tree.calls)
    assert len(tree.calls) < length
    for ngram in found:
        assert ngram.ids[0] in opening
        assert reference.occurrences(corpus.live_passages, ngram.ids)
        assert ngram.found.count == len(reference.occurrences(corpus.passages, ngram.ids))


PREFIX = [5, 6, 7, 8]
PROMPT = [9, 10, 11]


@pytest.fixture
def tree(tiny_lm: LanguageModel) -> LanguageTree:
    return LanguageTree(tiny_lm, Prefix(tiny_lm, PREFIX), PROMPT, most_depth=10)


def likelihood(lm: LanguageModel, ids: tuple[int, ...]) -> float:
    return float(lm.log_likelihoods([[*PREFIX, *PROMPT]], [list(ids)])[0].sum())


@pytest.mark.long
def test_a_tree_reads_branches_as_if_alone(tiny_lm: LanguageModel, tree: LanguageTree) -> None:
    a, b, c = tree.grow([ROOT, ROOT, ROOT], [20, 21, 22])[0]
    below, rows = tree.grow([c, a, b, a], [30, 31, 32, 33])
    assert list(below) == [4, 5, 6, 7]
    branches = [(22, 30), (20, 31), (21, 32), (20, 33)]
    for branch, row in zip(branches, rows, strict=True):
        logits = tiny_lm.next_logits([*PREFIX, *PROMPT, *branch], range(tiny_lm.vocabulary_size))
        expected = logits - np.log(np.exp(logits).sum())
        np.testing.assert_allclose(row, expected, atol=2e-4)


def test_a_call_may_hold_parents_and_children(tiny_lm: LanguageModel, tree: LanguageTree) -> None:
    nodes, rows = tree.grow([ROOT, 1, 2, 1], [20, 21, 22, 23])
    assert list(nodes) == [1, 2, 3, 4]
    expected = likelihood(tiny_lm, (20, 21, 22, 40)) - likelihood(tiny_lm, (20, 21, 22))
    assert rows[2][40] == pytest.approx(expected, abs=2e-4)


def test_prefixes_are_not_changed_by_trees(tiny_lm: LanguageModel) -> None:
    prefix = Prefix(tiny_lm, PREFIX)
    first = LanguageTree(tiny_lm, prefix, PROMPT, most_depth=4)
    first.grow([ROOT], [20])
    second = LanguageTree(tiny_lm, prefix, PROMPT, most_depth=4)
    np.testing.assert_array_equal(first.root, second.root)


def test_beam_scores_equal_a_teacher_forced_pass(tiny_lm: LanguageModel, tree: LanguageTree) -> None:
    size = tiny_lm.vocabulary_size
    corpus = Corpus([[30, 31, 32, 33], [30, 40, 41], [42, 31, 32, 30, 31]], [1], None).union(size)
    found = generate(tree, corpus, beams=3, length=4, openers=np.ones(size, np.bool_))
    assert len(found) > 8
    for ngram in found:
        assert ngram.log_probability == pytest.approx(likelihood(tiny_lm, ngram.ids), abs=1e-3)


def test_question_ngrams_are_those_of_allowed_passages() -> None:
    corpus = Corpus([[0, 1, 2], [3, 3]], [], [True, False]).union()
    found = question_ngrams(corpus, [(0, 1), (3,), (), (0, 1), (2, 0), (1,)], 0.5)
    assert [ngram.ids for ngram in found] == [(0, 1), (1,)]
    assert [ngram.log_probability for ngram in found] == pytest.approx([np.log(0.5)] * 2)


def test_what_does_not_fit_is_refused(tiny_lm: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = Prefix(tiny_lm, PREFIX)
    with pytest.raises(InputTooLong):
        LanguageTree(tiny_lm, prefix, PROMPT, most_depth=1024)
    monkeypatch.setattr(tiny_lm, "full_attention", False)
    monkeypatch.setattr(tiny_lm.model.config, "sliding_window", 12, raising=False)
    LanguageTree(tiny_lm, prefix, PROMPT, most_depth=5)
    with pytest.raises(UnsupportedModel):
        LanguageTree(tiny_lm, prefix, PROMPT, most_depth=6)


def test_openers_begin_words(tiny_lm: LanguageModel) -> None:
    bits = openers(tiny_lm)
    words = {tiny_lm.decode([token]) for token in np.flatnonzero(bits).tolist()}
    assert " Norm" in {word[:5] for word in words}
    assert all(word.startswith(" ") and word[1].isalnum() for word in words)
    assert not words & {" the", " The", " a", " by"}
    continuing = tiny_lm.tokenizer.convert_tokens_to_ids("e")
    assert not bits[continuing]


def test_a_tokenizer_without_word_starts_is_refused(
    tiny_lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_lm.tokenizer, "convert_ids_to_tokens", lambda ids: ["x" for _ in ids])
    with pytest.raises(UnsupportedModel):
        openers(tiny_lm)


def test_phrases() -> None:
    assert phrases("") == phrases("?!") == phrases("what is the") == []
    found = phrases("What's the C3PO-unit's e-mail, naïve Übung?")
    assert "e-mail, naïve Übung" in found
    assert "Übung" in found
    assert "übung" in found
    assert "the" not in found
    assert len(found) == len(set(found))
    assert max(len(phrase.split()) for phrase in found) == 3
