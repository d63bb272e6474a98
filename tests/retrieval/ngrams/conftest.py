"""A tiny language model with a real byte-level tokenizer."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.networks.language_model import LanguageModel
from models.networks.tokenizer import TextTokenizer
from retrieval.ngrams import LanguageVocabulary
from tests.support.ngram_corpora import TEXTS
from tests.support.tiny.tokenizers import byte_level


@pytest.fixture(scope="session")
def tiny_lm() -> LanguageModel:
    tokenizer = byte_level([f" {text}" for text in TEXTS], 480, ["<end>"], repeat=3)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.1,
        eos_token_id=0,
        bos_token_id=0,
    )
    network = LlamaForCausalLM(config)
    _learn(network, [tokenizer.encode(f"\nPassage: {text}").ids for text in TEXTS])
    network.eval().requires_grad_(False)
    fast = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(tokenizer.to_str()), eos_token="<end>")
    return LanguageModel(network, fast, TextTokenizer(tokenizer), name="tiny", fingerprint="tiny-1")


@pytest.fixture(scope="session")
def vocabulary(tiny_lm: LanguageModel) -> LanguageVocabulary:
    return LanguageVocabulary(tiny_lm)


def _learn(network: LlamaForCausalLM, sequences: list[list[int]]) -> None:
    """A few seconds of training: a model that knows nothing gives every n-gram less than chance."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(25):
        for ids in sequences:
            batch = torch.tensor([ids])
            loss = network(input_ids=batch, labels=batch).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
