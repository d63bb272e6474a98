"""Checkpoints in the transformers layout: BERT, Llama, Qwen, ColBERT and cross-encoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from tests.support.tiny.tokenizers import (
    BERT_SPECIAL,
    CHAT,
    byte_level,
    save_classifier_tokenizer,
    save_tokenizer,
    sentence_pieces,
    word_pieces,
)

CPU = torch.device("cpu")
PairKind = Literal["bert", "xlm-roberta"]


def save_bert(directory: Path, tokenizer: Tokenizer, **changes: Any) -> Path:
    """A BERT without a pooler, of 16 dimensions; `changes` are members of its configuration."""
    config = BertConfig(
        **{
            "vocab_size": 200,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 32,
            "max_position_embeddings": 40,
            "pad_token_id": 0,
            "initializer_range": 0.5,
            **changes,
        }
    )
    BertModel(config, add_pooling_layer=False).eval().save_pretrained(directory)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def save_llama(directory: Path, tokenizer: Tokenizer, **changes: Any) -> Path:
    """A Llama of 32 dimensions with a chat template; `changes` are members of its configuration."""
    config = LlamaConfig(
        **{
            "vocab_size": 400,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 128,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
            "tie_word_embeddings": True,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "initializer_range": 0.3,
            **changes,
        }
    )
    LlamaForCausalLM(config).eval().save_pretrained(directory)
    save_tokenizer(tokenizer, directory, CHAT)
    return directory


def save_qwen(directory: Path) -> Path:
    """A Qwen 2 of 32 dimensions, with more rows than tokens and two tokens that end a text."""
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
    save_tokenizer(byte_level(), directory, CHAT)
    return directory


def save_colbert(
    bert_dir: Path, directory: Path, *, activation: str = "torch.nn.modules.linear.Identity"
) -> Path:
    """A copy of a BERT checkpoint with a projection to 8 dimensions, in the sentence-transformers layout."""
    for file in bert_dir.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    dense = directory / "1_Dense"
    dense.mkdir()
    save_file({"linear.weight": torch.randn(8, 16)}, dense / "model.safetensors")
    config = {"in_features": 16, "out_features": 8, "bias": False, "activation_function": activation}
    (dense / "config.json").write_text(json.dumps(config))
    return directory


def save_cross_encoder(directory: Path, kind: PairKind = "bert", *, labels: int = 1) -> Path:
    """A sequence classifier that reads 64 tokens of a pair. Its tokenizer states no limit."""
    torch.manual_seed(4)
    common = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "initializer_range": 0.5,
        "num_labels": labels,
    }
    directory.mkdir(parents=True, exist_ok=True)
    if kind == "bert":
        bert = BertConfig(vocab_size=200, max_position_embeddings=64, pad_token_id=0, **common)
        BertForSequenceClassification(bert).eval().save_pretrained(directory)
        names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        save_classifier_tokenizer(
            word_pieces(special=BERT_SPECIAL), directory, tokenizer_class="BertTokenizer", **names
        )
        return directory
    # Positions are counted from the padding id on, so two of the 66 are never used.
    roberta = XLMRobertaConfig(
        vocab_size=150, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, **common
    )
    XLMRobertaForSequenceClassification(roberta).eval().save_pretrained(directory)
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>", "unk_token": "<unk>"}
    save_classifier_tokenizer(sentence_pieces(), directory, tokenizer_class="XLMRobertaTokenizer", **names)
    return directory
