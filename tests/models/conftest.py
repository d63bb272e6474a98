"""Tiny random checkpoints, made here: the architectures of the real ones at a thousandth of the size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from models.networks.language_model import LanguageModel
from models.networks.text_network import TextNetwork
from tests.support.tiny_checkpoints import (
    CHAT,
    CPU,
    byte_level_tokenizer,
    save_tokenizer,
    wordpiece_tokenizer,
)


@pytest.fixture(scope="session")
def bert_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bert")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=200,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=40,
        pad_token_id=0,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).eval().save_pretrained(directory)
    wordpiece_tokenizer().save(str(directory / "tokenizer.json"))
    return directory


@pytest.fixture(scope="session")
def llama_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("llama")
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).eval().save_pretrained(directory)
    save_tokenizer(byte_level_tokenizer(), directory, CHAT)
    return directory


@pytest.fixture(scope="session")
def qwen_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("qwen")
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=416,  # more rows than tokens, as in the published ones
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        max_position_embeddings=128,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=2,
        initializer_range=0.3,
    )
    model = Qwen2ForCausalLM(config).eval()
    model.generation_config.eos_token_id = [2, 0]
    model.save_pretrained(directory)
    save_tokenizer(byte_level_tokenizer(), directory, CHAT)
    return directory


@pytest.fixture(scope="session")
def bert(bert_dir: Path) -> TextNetwork:
    return TextNetwork.load(bert_dir, name="tiny-bert", fingerprint="f", device=CPU, dtype=torch.float32)


@pytest.fixture(scope="session", params=["llama", "qwen"])
def lm(request: pytest.FixtureRequest, llama_dir: Path, qwen_dir: Path) -> LanguageModel:
    directory = {"llama": llama_dir, "qwen": qwen_dir}[request.param]
    return LanguageModel.load(directory, name=request.param, fingerprint="f", device=CPU, dtype=torch.float32)
