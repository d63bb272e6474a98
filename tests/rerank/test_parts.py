from __future__ import annotations

import doctest
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rerank.fit
import rerank.letters
import rerank.windows
from rerank import InvalidPrompt
from rerank.fit import fair_cap
from rerank.prompts import LISTWISE, LikelihoodPrompt, ListwisePrompt, listwise_prompt, read_prompt
from rerank.windows import slide, windows


@pytest.mark.parametrize("module", [rerank.letters, rerank.fit, rerank.windows])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@given(st.integers(0, 150), st.integers(2, 20), st.data())
def test_windows_cover_everything_back_to_front(count, size, data):
    stride = data.draw(st.integers(1, size - 1))
    found = windows(count, size, stride)
    assert {place for start, end in found for place in range(start, end)} == set(range(count))
    assert all(end - start == min(size, count) for start, end in found)
    assert [start for start, _ in found] == sorted((start for start, _ in found), reverse=True)
    assert all(low_end > high_start for (high_start, _), (_, low_end) in itertools.pairwise(found))
    if count > size:
        assert len(found) == -(-(count - size) // stride) + 1


@given(st.lists(st.integers(-3, 3), max_size=60))
def test_slide_is_a_permutation_that_brings_the_best_up(values):
    scores = np.array(values, dtype=np.float64)
    order, _, _ = slide(len(values), 20, 10, lambda items: scores[items])
    assert sorted(order.tolist()) == list(range(len(values)))
    # Ten places of overlap carry the best ten to the top; there ties stand in input order.
    assert order[:10].tolist() == np.argsort(-scores, kind="stable")[:10].tolist()


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(-5, 400))
def test_fair_cap_is_the_largest_that_fits(lengths, budget):
    cap = fair_cap(lengths, budget)
    assert sum(min(length, cap) for length in lengths) <= max(budget, 0)
    if cap < max(lengths, default=0):
        assert sum(min(length, cap + 1) for length in lengths) > budget


GOOD = {
    "system": "s",
    "head": "{num} {query}",
    "passage": "{letter} {text}",
    "tail": "{num} {query}",
    "answer": "[",
    "neutral": "N/A",
}


def write(path: Path, parts: dict[str, object]) -> Path:
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in parts.items()))
    return path


def test_prompt_round_trip(tmp_path):
    assert read_prompt(ListwisePrompt, write(tmp_path / "p.toml", GOOD)) == ListwisePrompt(**GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"head": "{letter}"},
        {"tail": "{num}"},
        {"tail": "{num} {query} {surprise}"},
        {"passage": "{letter} {text"},
        {"system": "{query}"},
        {"answer": 3},
        {"more": "x"},
    ],
)
def test_prompt_with_wrong_placeholders_is_refused(tmp_path, change):
    with pytest.raises(InvalidPrompt):
        read_prompt(ListwisePrompt, write(tmp_path / "p.toml", GOOD | change))


def test_prompt_that_is_missing_or_not_toml_is_refused(tmp_path):
    (tmp_path / "bad.toml").write_text("= =")
    for name in ("bad.toml", "absent.toml"):
        with pytest.raises(InvalidPrompt, match=name):
            read_prompt(LikelihoodPrompt, tmp_path / name)


def test_a_listwise_prompt_opens_the_answer_with_a_bracket():
    assert [listwise_prompt(name).answer for name in LISTWISE] == ["["] * len(LISTWISE)
    with pytest.raises(InvalidPrompt, match="none of first, first-mistral, letters"):
        listwise_prompt("other")
