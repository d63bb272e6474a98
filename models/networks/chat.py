"""A conversation as token ids, in which quoted text cannot pose as control tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from models.errors import UnsupportedModel
from models.networks.tokenizer import TextTokenizer

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Unicode noncharacters, never part of interchanged text: they stand around a hidden name."""


class ChatPrompt:
    """Renders messages by a tokenizer's chat template.

    The rendered text is tokenised as a whole, as the model saw it in training. Only where a message
    names a control token ("<|im_end|>") is that name cut out and tokenised as the plain text it is.
    """

    def __init__(self, tokenizer: Any, text_tokenizer: TextTokenizer, model: str) -> None:
        self._tokenizer = tokenizer
        self._text = text_tokenizer
        self._model = model
        names = sorted(_control_names(tokenizer), key=len, reverse=True)
        self._names = names
        self._control = re.compile("|".join(map(re.escape, names))) if names else None
        self._hidden = re.compile(f"{_OPEN}(\\d+){_CLOSE}")

    def ids(self, messages: Sequence[Mapping[str, str]], assistant_prefix: str = "") -> list[int]:
        """Token ids up to and with `assistant_prefix`. Raises UnsupportedModel."""
        if not self._tokenizer.chat_template:
            raise UnsupportedModel(self._model, "it has no chat template; choose an instruct model")
        safe = [{key: self._hide(value) for key, value in message.items()} for message in messages]
        try:
            rendered = self._tokenizer.apply_chat_template(safe, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise UnsupportedModel(self._model, f"its chat template refuses the messages: {error}") from error
        ids: list[int] = []
        # split() alternates what lies between hidden names with the number of each.
        for at, part in enumerate(self._hidden.split(rendered + self._hide(assistant_prefix))):
            ids += (
                self._text.encode(self._names[int(part)])
                if at % 2
                else self._tokenizer(part, add_special_tokens=False).input_ids
            )
        return ids

    def _hide(self, text: str) -> str:
        plain = text.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd")
        if self._control is None:
            return plain
        return self._control.sub(lambda found: f"{_OPEN}{self._names.index(found[0])}{_CLOSE}", plain)


def _control_names(tokenizer: Any) -> set[str]:
    return {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
