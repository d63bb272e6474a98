"""Tokenizers of each kind that checkpoints have, trained on a few sentences in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

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
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
COLBERT_SPECIAL = [*BERT_SPECIAL, "[MASK]", "[Q] ", "[D] "]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def byte_level(
    texts: Sequence[str] = SENTENCES, size: int = 400, special: Sequence[str] = CONTROL, repeat: int = 5
) -> Tokenizer:
    """Byte-level BPE, as GPT-2, Llama 3 and Qwen have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(list(texts) * repeat, trainer)
    return tokenizer


def word_pieces(texts: Sequence[str] = SENTENCES, special: Sequence[str] = COLBERT_SPECIAL) -> Tokenizer:
    """The special tokens, then every letter and every word of the texts; a letter inside a word has `##`.

    Not trained: that goes through hash maps in random order, so the ids, and with them every vector of a
    random network, would differ from one process to the next.
    """
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = [word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))]
    letters = sorted({letter for word in words for letter in word})
    pieces = dict.fromkeys([*special, *letters, *(f"##{letter}" for letter in letters), *words])
    vocabulary = {piece: at for at, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.add_special_tokens(list(special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    # As published checkpoints do: truncation and padding that must not take effect.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8, pad_token="[PAD]")
    return tokenizer


def sentence_pieces(texts: Sequence[str] = SENTENCES) -> Tokenizer:
    """A unigram model over text with marked spaces, as XLM-RoBERTa has it: every word and every letter.

    Not trained, for the reason given at `word_pieces`.
    """
    splitter = pre_tokenizers.Metaspace()
    words = [word for text in texts for word, _ in splitter.pre_tokenize_str(text)]
    letters = sorted({letter for word in words for letter in word})
    likelihoods = dict.fromkeys(ROBERTA_SPECIAL, 0.0) | dict.fromkeys(words, -4.0)
    likelihoods |= dict.fromkeys(letters, -8.0)
    tokenizer = Tokenizer(models.Unigram(list(likelihoods.items()), ROBERTA_SPECIAL.index("<unk>"), False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(ROBERTA_SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, directory: Path, chat: str | None = None) -> None:
    """Writes a tokenizer with its settings, as language models have them."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>" if chat else None, chat_template=chat
    )
    fast.save_pretrained(directory)


def save_classifier_tokenizer(tokenizer: Tokenizer, directory: Path, **settings: object) -> None:
    """Writes a tokenizer with the settings that a classifier's checkpoint has beside it."""
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
