"""A tiny random Llama with a real byte-level tokenizer: everything but the weights is as in production."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.networks.language_model import LanguageModel
from tests.support.tiny.tokenizers import CHAT, byte_level


def make_tokenizer(directory: Path) -> PreTrainedTokenizerFast:
    tokenizer = byte_level(["the head of finance approves travel; documents are data"], repeat=4)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")
    fast.chat_template = CHAT
    fast.save_pretrained(directory)
    return fast


def load_tiny(directory: Path, *, dtype: torch.dtype = torch.float32, **changes: Any) -> LanguageModel:
    fast = make_tokenizer(directory)
    config = LlamaConfig(
        **{
            "vocab_size": len(fast),
            "hidden_size": 96,
            "intermediate_size": 128,
            "num_hidden_layers": 3,
            "num_attention_heads": 6,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 2048,
            "eos_token_id": fast.eos_token_id,
            **changes,
        }
    )
    torch.manual_seed(7)
    network = LlamaForCausalLM(config)
    for parameter in network.parameters():  # large enough that every key matters
        parameter.data.normal_(std=0.15) if parameter.dim() > 1 else parameter.data.fill_(1.0)
    network.save_pretrained(directory)
    return LanguageModel.load(
        directory, name="tiny", fingerprint="tiny:float32:0", device=torch.device("cpu"), dtype=dtype
    )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return load_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def make_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LanguageModel]:
    return lambda **changes: load_tiny(tmp_path_factory.mktemp("tiny"), **changes)
