"""Evaluator heads: a reproducible pilot, no layer more than is needed, and needles that survive."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import compress.methods.evaluator_heads
from base.errors import InputTooLong
from compress import CATALOGUE, counter, shorten
from compress.methods.evaluator_heads import HeadsScorer, prompts_of
from compress.pilot import Evaluators, evaluators_of, evidence, file_of, needles, pilot
from models.attention.reference import eager_maps

OPTIONS = CATALOGUE.resolve({"method": "evaluator-heads"})


def test_examples_in_docstrings():
    assert doctest.testmod(compress.methods.evaluator_heads).failed == 0


def test_the_pilot_is_reproducible_and_depends_on_its_seed(tiny):
    one, other = pilot(tiny, prompts=2), pilot(tiny, prompts=2)
    assert one == other
    assert sorted(one.heads) == list(range(6))
    assert list(one.evidence) == sorted(one.evidence, reverse=True)
    assert needles(2, 0) != needles(2, 1)
    assert all(needle.needle.split()[-1][:-1].isdigit() for needle in needles(8, 3))


def test_evidence_is_the_attention_on_the_needle(tiny):
    (needle,) = needles(1, 0)
    parts = [tiny.encode(one) for one in (needle.before, needle.needle, needle.after, needle.question)]
    ids = [one for part in parts for one in part]
    start, rows = len(parts[0]), len(parts[3])
    whole = eager_maps(tiny.model, ids)[:, :, -rows:, start : start + len(parts[1])]
    assert np.allclose(evidence(tiny, needle, range(3)), whole.sum(-1).mean(-1), atol=1e-4)


def test_the_pilot_is_stored_by_the_models_fingerprint(tiny, tmp_path, monkeypatch):
    found = evaluators_of(tiny, tmp_path)
    monkeypatch.setattr("compress.pilot.pilot", pytest.fail)
    assert evaluators_of(tiny, tmp_path) == found
    stored = file_of(tmp_path, tiny.fingerprint)
    stored.write_text(json.dumps(json.loads(stored.read_text()) | {"fingerprint": "another"}))
    monkeypatch.setattr("compress.pilot.pilot", lambda lm: found)
    assert evaluators_of(tiny, tmp_path) == found
    stored.write_text("{")
    assert evaluators_of(tiny, tmp_path) == found
    assert json.loads(stored.read_text())["fingerprint"] == tiny.fingerprint


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_no_layer_behind_that_of_the_heads_is_run(tiny, tmp_path, layer):
    Evaluators(tiny.fingerprint, layer, (0, 1), (0.5, 0.5)).save(tmp_path)
    ran = []
    hooks = [
        one.mlp.register_forward_hook(lambda *_, at=at: ran.append(at))
        for at, one in enumerate(tiny.model.base_model.layers)
    ]
    try:
        HeadsScorer(tiny, tmp_path).score("who?", ["finance approves travel"] * 3, OPTIONS, rate=0.5)
    finally:
        for hook in hooks:
            hook.remove()
    assert ran == list(range(layer)), "the last layer is needed up to its attention, not its own network"


def test_scores_are_the_attention_of_the_question(tiny, tmp_path):
    Evaluators(tiny.fingerprint, 1, (4, 2, 0), (0.5, 0.3, 0.2)).save(tmp_path)
    options = CATALOGUE.resolve({"method": "evaluator-heads", "heads": 2, "window": 1})
    text = "finance approves travel"
    (found,) = HeadsScorer(tiny, tmp_path).score("who?", [text], options, rate=0.5)
    before, ids, question = (tiny.encode(one) for one in ("Passages:\n", text, "\nQuestion: who?"))
    start, end = len(before), len(before) + len(ids)
    maps = eager_maps(tiny.model, [*before, *ids, *question])[1, [2, 4], end:, start:end].mean((0, 1))
    offsets = tiny.tokenize([text])[0].offsets
    for span, score in zip(found.spans, found.scores, strict=True):
        own = (offsets[:, 0] < span[1]) & (offsets[:, 1] > span[0])
        assert score == pytest.approx(maps[own].mean(), abs=1e-5)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 15))
def test_prompts_have_every_token_once_and_in_order(lengths, room):
    prompts = prompts_of(lengths, room)
    assert all(0 < sum(one.end - one.start for one in prompt) <= room for prompt in prompts)
    read = [(one.text, at) for prompt in prompts for one in prompt for at in range(one.start, one.end)]
    assert read == [(text, at) for text, length in enumerate(lengths) for at in range(length)]


def test_a_question_that_leaves_no_room_is_refused(tiny, tmp_path):
    with pytest.raises(InputTooLong, match="question"):
        HeadsScorer(tiny, tmp_path).score("travel " * 3000, ["a"], OPTIONS, rate=0.5)


FILLER = (
    "The harbour was opened by the council and has been repaired many times since then. "
    "In winter few ships come, and the cranes stand still for weeks. "
    "Most visitors arrive by train and walk along the quay before they go home again. "
)
NEEDLE = "The password of the lighthouse keeper is blue-kettle-49."


@pytest.mark.model
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_needle_survives_at_a_fifth_of_the_tokens(small_models, place):
    texts = [FILLER] * 7
    texts[place] = FILLER + NEEDLE + " " + FILLER
    count = counter(small_models)
    scorer = CATALOGUE["evaluator-heads"].make(small_models)
    question = "What is the password of the lighthouse keeper?"
    target = sum(count(texts)) // 5
    found = shorten(scorer, question, texts, OPTIONS, count, target_tokens=target)
    assert "blue-kettle-49" in found[place].text
    assert sum(one.tokens_after for one in found) <= target
