"""The rerankers on the packaged language model."""

from __future__ import annotations

import statistics
import string
import time

import numpy as np
import pytest
import torch
from excerpta.types.rerank import First, Icr, Likelihood

from rerank import CATALOGUE, Texts
from rerank.letters import letter_ids
from rerank.prompts import likelihood_prompt, listwise_prompt

PASSAGES = [
    "Many visitors come to the coast in summer; most arrive by train.",
    "The lighthouse was designed by Ada Quist and lit by gas until 1924.",
    "Bread is baked from flour, water, salt and yeast.",
    "The county council bought the land from two farmers.",
]
QUESTION = "Who designed the lighthouse?"

pytestmark = pytest.mark.model


def rank(models, options, query, texts):
    return CATALOGUE.of(options).make(models).rank(query, Texts(texts), options)


@pytest.fixture
def calls(small_models):
    """The shapes of the token ids that reach the network."""
    seen: list[tuple[int, ...]] = []
    hook = small_models.lm.model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    yield seen
    hook.remove()


def test_the_letters_are_the_tokens_after_the_bracket(small_models):
    lm = small_models.lm
    ids = letter_ids(lm, listwise_prompt("first"))
    assert ids == [lm.encode(f"[{letter}")[-1] for letter in string.ascii_uppercase[:20]]
    assert [lm.decode([token]) for token in ids] == list(string.ascii_uppercase[:20])


def test_first_makes_exactly_one_forward_pass_for_twenty_passages(small_models, calls):
    ranking = rank(small_models, First(), QUESTION, PASSAGES * 5)
    assert calls == [(1, ranking.tokens_read)]
    assert ranking.forward_passes == 1
    assert sorted(ranking.order.tolist()) == list(range(20))
    assert ranking.scores.sum() == pytest.approx(1)


def test_query_likelihood_finds_the_passage_that_answers(small_models):
    ranking = rank(small_models, Likelihood(), QUESTION, PASSAGES)
    assert ranking.order[0] == 1
    assert ranking.scores[1] > np.delete(ranking.scores, 1).max() + 0.3


def test_query_likelihood_is_the_mean_log_probability_token_by_token(small_models):
    lm, prompt = small_models.lm, likelihood_prompt()
    context = lm.encode(prompt.before) + lm.encode(PASSAGES[1]) + lm.encode(prompt.after)
    expected = []
    for token in lm.encode(f" {QUESTION}"):
        logits = lm.next_logits(context, range(lm.vocabulary_size))
        expected.append(logits[token] - np.logaddexp.reduce(logits))
        context = [*context, token]
    found = rank(small_models, Likelihood(), QUESTION, [PASSAGES[1]]).scores[0]
    assert found == pytest.approx(np.mean(expected), abs=0.05)  # bfloat16


def test_attention_finds_the_passage_that_answers(small_models, calls):
    ranking = rank(small_models, Icr(), QUESTION, PASSAGES)
    assert ranking.order[0] == 1
    assert len(calls) == ranking.forward_passes == 2


def seconds(call):
    """CPU seconds, the median of three calls after one."""
    call()
    taken = []
    for _ in range(3):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


@pytest.mark.long
def test_one_window_costs_one_prefill_and_half_of_writing_the_ranking(small_models):
    lm = small_models.lm
    texts = [f"{number}: " + "the lighthouse and the coast " * 19 for number in range(20)]
    reranker = CATALOGUE["first"].make(small_models)
    prompt = reranker.window_prompt(QUESTION, texts)
    ids = torch.tensor([prompt])

    @torch.inference_mode()
    def bare():
        lm.model.base_model(input_ids=ids, use_cache=False)

    @torch.inference_mode()
    def written():
        # "[A] > [B] > ..." of 20 passages is 98 tokens.
        lm.model.generate(input_ids=ids, max_new_tokens=98, min_new_tokens=98, do_sample=False)

    one = seconds(lambda: rank(small_models, First(), QUESTION, texts))
    assert one <= 1.15 * seconds(bare)
    assert 2 * one <= seconds(written)
