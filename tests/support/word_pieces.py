"""A WordPiece tokenizer whose token ids are the same in every run.

`tokenizers` trains one through hash maps in random order, so the ids, and with them every vector of a random
network, differ from one process to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers


def word_pieces(texts: Sequence[str], special: Sequence[str]) -> Tokenizer:
    """The special tokens, then every letter and every word of the texts; a letter inside a word has `##`."""
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
    return tokenizer
