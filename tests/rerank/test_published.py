"""A published FIRST checkpoint as the profile `standard` names it, on a tiny network of the same architecture."""

from __future__ import annotations

import pytest
import torch
from excerpta.types.rerank import First
from transformers import MistralConfig, MistralForCausalLM

from models import Models, load_profile
from models.errors import UnsupportedModel
from rerank import CATALOGUE, Texts
from rerank.letters import letter_ids
from rerank.methods.first import FirstReranker
from rerank.prompts import listwise_prompt
from tests.support.tiny.tokenizers import byte_level, save_tokenizer

CHAT = (
    "{{ '<s>' }}{% for m in messages %}"
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + '[/INST]' }}{% endif %}{% endfor %}"
)
"""The form of Mistral 7B Instruct v0.3: no system turn, and nothing that opens the assistant's."""
TEXTS = ["tides by the moon", "head of finance", "magma and crust"]


@pytest.fixture
def models(tmp_path, tiny_profile):
    torch.manual_seed(5)
    special = ["<s>", "</s>", "[INST]", "[/INST]", "<|im_end|>"]
    config = MistralConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
        sliding_window=None,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=1,
    )
    MistralForCausalLM(config).save_pretrained(tmp_path / "mistral")
    save_tokenizer(byte_level(special=special), tmp_path / "mistral", CHAT)
    standard = load_profile("standard").ranker
    (tmp_path / "with-ranker.toml").write_text(
        f'extends = "{tiny_profile.stem}"\n[ranker]\nname = "{standard.name}"\npath = "mistral"\n'
        f'prompt = "{standard.prompt}"\ndtype = "float32"\n'
    )
    profile = load_profile(tmp_path / "with-ranker.toml", search=[tiny_profile.parent])
    return Models(profile, tmp_path / "data", device="cpu")


def test_it_is_loaded_and_ranks(models):
    ranking = CATALOGUE["first"].make(models).rank("what?", Texts(TEXTS), First())
    assert sorted(ranking.order.tolist()) == [0, 1, 2]
    assert ranking.forward_passes == 1
    assert ranking.scores.sum() == pytest.approx(1)


def test_it_reads_the_words_of_its_training_in_one_turn(models):
    lm = models.ranker.network
    prompt = lm.tokenizer.decode(
        FirstReranker(lm, listwise_prompt("first-mistral")).window_prompt("what?", TEXTS)
    )
    assert prompt.startswith("<s>[INST]")
    assert "relevancy to the query\n I will provide you with 3 passages" in prompt
    assert "[B] head of finance\n" in prompt
    assert prompt.endswith("[/INST][")


def test_a_prompt_with_a_system_turn_is_refused(models):
    with pytest.raises(UnsupportedModel, match="alternate"):
        letter_ids(models.ranker.network, listwise_prompt("first"))
