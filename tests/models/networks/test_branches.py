"""Endings of one prompt that share its reading."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.branches import last_states
from tests.support.speeds import examples

TOKENS = st.integers(0, 255)
RUN = st.lists(TOKENS, min_size=1, max_size=9)


@settings(max_examples=examples(20))
@given(st.lists(TOKENS, max_size=9), st.lists(RUN, min_size=1, max_size=4), st.booleans())
def test_a_branch_ends_as_its_whole_prompt_does(lm, prefix, branches, share):
    body = lm.model.base_model
    found = last_states(body, prefix, branches, share=share)
    for branch, state in zip(branches, found, strict=True):
        with torch.inference_mode():
            whole = body(input_ids=torch.tensor([[*prefix, *branch]]), use_cache=False).last_hidden_state
        np.testing.assert_allclose(state.numpy(), whole[0, -1].numpy(), atol=2e-4)


def test_the_prefix_is_read_once(lm):
    read = []
    hook = lm.model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    last_states(lm.model.base_model, [1, 2, 3, 4], [[5], [6, 7], [8]])
    hook.remove()
    assert read == [(1, 4), (3, 2)]


@pytest.mark.parametrize("branches", [[], [[1], []]])
def test_a_branch_without_tokens_is_refused(lm, branches):
    with pytest.raises(ValueError, match="no tokens"):
        last_states(lm.model.base_model, [1], branches)
