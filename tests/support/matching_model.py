"""A language model whose attention looks for equal words: what it attends to is known, nothing of it is random."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.networks.language_model import LanguageModel
from models.networks.tokenizer import TextTokenizer
from tests.support.tiny.tokenizers import CHAT

_WIDTH, _LAYERS = 64, 4
_UNKNOWN = "<unk>"


def matching_model(words: Sequence[str]) -> LanguageModel:
    """Each of `words` attends to itself, the more sharply the higher the layer; all other words are one word.

    Positions play no part: every rotation but that of two unused dimensions is by nothing. At most 61 words.
    """
    config = LlamaConfig(
        vocab_size=len(words) + 1,
        hidden_size=_WIDTH,
        intermediate_size=4,
        num_hidden_layers=_LAYERS,
        num_attention_heads=1,
        head_dim=_WIDTH,
        max_position_embeddings=1 << 14,
        rope_parameters={"rope_type": "default", "rope_theta": 1e300},
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    network = LlamaForCausalLM(config).eval()
    free = [at for at in range(_WIDTH) if at % (_WIDTH // 2)]
    with torch.inference_mode():
        for name, weight in network.named_parameters():
            weight.fill_(1.0) if "norm" in name else weight.zero_()
        for at, place in enumerate(free[: len(words) + 1]):
            network.model.embed_tokens.weight[at, place] = 1.0
        for number, layer in enumerate(network.model.layers, start=1):
            layer.self_attn.q_proj.weight.copy_(torch.eye(_WIDTH) * number)
            layer.self_attn.k_proj.weight.copy_(torch.eye(_WIDTH))
    vocabulary = {word: at for at, word in enumerate([_UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_UNKNOWN, chat_template=CHAT)
    return LanguageModel(network, fast, TextTokenizer(tokenizer), name="matching", fingerprint="matching")
