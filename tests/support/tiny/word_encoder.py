"""A BERT of a few thousand weights with a vocabulary of ten words."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

CPU = torch.device("cpu")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["red", "green", "blue", "fish", "tree", "house", "the", "a", ".", ",", "##s"]
CONFIG = BertConfig(
    vocab_size=len(SPECIAL) + len(WORDS),
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=34,
    pad_token_id=0,
    num_labels=2,
    initializer_range=0.5,
)


def save_word_pieces(directory: Path) -> None:
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(directory / "tokenizer.json"))


def save_encoder(directory: Path) -> Path:
    torch.manual_seed(0)
    BertModel(CONFIG, add_pooling_layer=False).save_pretrained(directory)
    save_word_pieces(directory)
    return directory
