"""What the tiny checkpoints of these tests are made of: tokenizers, a chat template, a ColBERT layout."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tests.support.word_pieces import word_pieces

CPU = torch.device("cpu")
SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "Which passage answers the question: Wer weiß es? 42 apples, naïve café 😀",
    "def f(x):\n    return x + 1\n\nMixed CASE and    spaces\t\tand tabs.",
]
CHAT = (
    "{% for m in messages %}{% if m['role'] not in ('system', 'user', 'assistant') %}"
    "{{ raise_exception('unknown role') }}{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_level_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 5, trainer)
    return tokenizer


def wordpiece_tokenizer() -> Tokenizer:
    tokenizer = word_pieces(SENTENCES, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q] ", "[D] "])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # As published checkpoints do: truncation and padding that must not take effect.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8, pad_token="[PAD]")
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, directory: Path, chat: str | None = None) -> None:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>" if chat else None, chat_template=chat
    )
    fast.save_pretrained(directory)


def colbert(bert_dir: Path, directory: Path, *, activation: str = "torch.nn.modules.linear.Identity") -> Path:
    """A copy of a BERT checkpoint with a projection to 8 dimensions, in the sentence-transformers layout."""
    for file in bert_dir.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    dense = directory / "1_Dense"
    dense.mkdir()
    save_file({"linear.weight": torch.randn(8, 16)}, dense / "model.safetensors")
    config = {"in_features": 16, "out_features": 8, "bias": False, "activation_function": activation}
    (dense / "config.json").write_text(json.dumps(config))
    return directory
