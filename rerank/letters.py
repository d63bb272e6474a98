"""Lists of passages under letters: the chat that asks for a ranking, and the tokens of the letters."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from models.errors import UnsupportedModel
from rerank.fit import first_words
from rerank.network import LetterNetwork
from rerank.prompts import ListwisePrompt

LETTERS = string.ascii_uppercase[:20]
_BRACKETED_LETTER = re.compile(r"\[\s*([A-Za-z])\s*\]")


def listwise_messages(prompt: ListwisePrompt, query: str, lines: Sequence[str]) -> list[dict[str, str]]:
    """The chat that asks for a ranking of `lines` under the letters A, B, ..."""
    facts = {"num": len(lines), "query": one_line(query)}
    passages = (
        prompt.passage.format(letter=letter, text=line) for letter, line in zip(LETTERS, lines, strict=False)
    )
    content = prompt.head.format(**facts) + "".join(passages) + prompt.tail.format(**facts)
    asked = {"role": "user", "content": content}
    return [{"role": "system", "content": prompt.system}, asked] if prompt.system else [asked]


def one_line(text: str, words: int = 10_000) -> str:
    """The text's first words on one line, with nothing in it that looks like an identifier.

    >>> one_line("as in [A],\\n see [12]")
    'as in (A), see [12]'
    """
    return _BRACKETED_LETTER.sub(r"(\1)", first_words(text, words))


def letter_ids(lm: LetterNetwork, prompt: ListwisePrompt) -> list[int]:
    """The token ids of A to T where the answer begins; raises where a letter is not one token there.

    They are found by encoding the whole chat with and without the letter, because a letter's id
    depends on what stands before it, and some tokenizers merge `[A` into one token.
    """
    messages = listwise_messages(prompt, "query", ["passage"])
    opened = lm.chat(messages, assistant_prefix=prompt.answer)
    ids = []
    for letter in LETTERS:
        answered = lm.chat(messages, assistant_prefix=prompt.answer + letter)
        if len(answered) != len(opened) + 1 or answered[:-1] != opened:
            raise UnsupportedModel(lm.name, f"its tokenizer does not read {letter!r} after '[' as one token")
        ids.append(answered[-1])
    if len(set(ids)) < len(LETTERS):
        raise UnsupportedModel(lm.name, "its tokenizer gives two letters the same token")
    return ids
