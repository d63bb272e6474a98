"""The answer prompt as data, and as token ids in three parts: prefix, passages, question.

Prefix and question are the service's own words; a passage is quoted text and stays quoted text. It
cannot close its frame, because the frame's delimiter is broken up inside it, nor pose as a control
token, because it is tokenised as plain text.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from context.errors import InvalidAnswerPrompt
from context.prompts.quoting import quoted, without_control_tokens
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel

DEFAULT_PROMPT = Path(__file__).with_name("answer.toml")

_PLACEHOLDERS: Mapping[str, frozenset[str]] = {
    "passage": frozenset({"title", "text"}),
    "untitled": frozenset({"text"}),
    "question": frozenset({"question"}),
}
_IN_TITLE = str.maketrans({"<": "‹", ">": "›", '"': "'"})
# Noncharacters, which no text to be interchanged holds: they mark where the passages and the question go.
_PASSAGES, _QUESTION = "\ufdd2", "\ufdd3"


@dataclass(frozen=True, slots=True)
class ContextPassage:
    """A passage to answer from: its text, and its title, which may be empty.

    Its block is deleted with `document`. Equal passages of two documents have two blocks. Blocks are shared
    only between equal salts; an empty `salt` takes the call's.
    """

    title: str
    text: str
    document: str = ""
    salt: bytes = b""


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """What the model reads: `system`, then in one user turn `opening`, the passages and `question`.

    `passage` frames a passage with a title, `untitled` one without, between `<tag ...>` and `</tag>`.
    The same tag inside a title or a text is disarmed, however it is written, and so is what looks like
    another part of the prompt (`context.prompts.quoting`).
    """

    system: str
    opening: str
    passage: str
    untitled: str
    question: str
    tag: str

    @classmethod
    def read(cls, path: Path) -> AnswerPrompt:
        """Reads a TOML file with exactly these keys. Raises InvalidAnswerPrompt."""
        try:
            parts = tomllib.loads(path.read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise InvalidAnswerPrompt(path.name, str(error)) from error
        wanted = sorted(field.name for field in fields(cls))
        if sorted(parts) != wanted or not all(isinstance(part, str) for part in parts.values()):
            raise InvalidAnswerPrompt(path.name, f"it must have the texts {', '.join(wanted)} and no others.")
        for name, placeholders in _PLACEHOLDERS.items():
            found = [field for _, field, _, _ in string.Formatter().parse(parts[name]) if field is not None]
            if sorted(found) != sorted(placeholders):
                raise InvalidAnswerPrompt(
                    path.name,
                    f"{name} must have {', '.join(sorted(placeholders))} as placeholders, once each.",
                )
        tag = parts["tag"]
        if not tag.isalpha() or any(
            f"<{tag}" not in parts[frame] or f"</{tag}>" not in parts[frame]
            for frame in ("passage", "untitled")
        ):
            raise InvalidAnswerPrompt(path.name, "passage and untitled must stand between <tag> and </tag>.")
        return cls(**parts)

    def frame(self, passage: ContextPassage) -> str:
        """The passage as the model reads it."""
        title = quoted(" ".join(passage.title.split()).translate(_IN_TITLE), self.tag)
        text = quoted(passage.text.strip(), self.tag)
        return self.passage.format(title=title, text=text) if title else self.untitled.format(text=text)

    def messages(
        self, question: str, passages: Sequence[ContextPassage], *, modules: str = ""
    ) -> list[dict[str, str]]:
        """The whole prompt as messages, for a model of another service. `modules` come first."""
        asked = self.question.format(question=without_control_tokens(question.strip()))
        before = f"{modules.rstrip()}\n\n{self.opening}" if modules else self.opening
        text = before + "".join(map(self.frame, passages)) + asked
        return [{"role": "system", "content": self.system}, {"role": "user", "content": text}]


class PromptIds:
    """An `AnswerPrompt` for one language model, in its chat format, as token ids.

    `echo` are the tokens that the line with the question begins with.
    Raises UnsupportedModel if the model has no chat template or the template drops parts of the prompt.
    """

    def __init__(self, lm: LanguageModel, prompt: AnswerPrompt) -> None:
        self._lm = lm
        self._prompt = prompt
        before, after = self._rendered()
        self.prefix: tuple[int, ...] = tuple(self._own(before))
        self._before_question, self._after_question = (self._own(part) for part in after)
        self.echo = self._first_tokens(prompt.question.partition("{question}")[0].rpartition("\n")[2])
        # Passages whose blocks are known come again and again; so do their tokens.
        self._passage = lru_cache(maxsize=512)(lambda passage: tuple(lm.encode(prompt.frame(passage))))
        # What stands between a prompt's own modules and the passages: what opens those, once more.
        self.closing: tuple[int, ...] = tuple(self._own(f"\n\n{prompt.opening}"))

    def passage(self, passage: ContextPassage) -> list[int]:
        """Token ids of one framed passage: the same wherever it stands."""
        return list(self._passage(passage))

    def forget(self) -> None:
        """Clears the cached tokens of passages, since they reveal the texts."""
        self._passage.cache_clear()

    @property
    def lead(self) -> list[int]:
        """The lead: the tokens between a passage and any question, without the last one."""
        return self._before_question[:-1]

    def question(self, question: str) -> list[int]:
        """Token ids from behind the last passage to where the answer begins."""
        return [*self._before_question, *self._lm.encode(question.strip()), *self._after_question]

    def asked(self, question: str) -> range:
        """Where the question's own tokens are in `question(question)`."""
        start = len(self._before_question)
        return range(start, start + len(self._lm.encode(question.strip())))

    def _first_tokens(self, words: str) -> frozenset[int]:
        """What a line with these words begins with, at the beginning of a text and behind a space."""
        ways = (words.strip(), f" {words.strip()}") if words.strip() else ()
        return frozenset(self._own(way)[0] for way in ways)

    def _rendered(self) -> tuple[str, list[str]]:
        prompt, tokenizer = self._prompt, self._lm.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            raise UnsupportedModel(self._lm.name, "it has no chat template; choose an instruct model")
        messages = [
            {"role": "system", "content": prompt.system},
            {
                "role": "user",
                "content": prompt.opening + _PASSAGES + prompt.question.format(question=_QUESTION),
            },
        ]
        text: Any = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, *after = str(text).split(_PASSAGES)
        ends = after[0].split(_QUESTION) if len(after) == 1 else []
        if len(ends) != 2 or prompt.system.strip() not in before:
            raise UnsupportedModel(self._lm.name, "its chat template leaves parts of the prompt out")
        return before, ends

    def _own(self, text: str) -> list[int]:
        """Token ids of the service's own text, in which control tokens are meant."""
        return list(self._lm.tokenizer(text, add_special_tokens=False).input_ids)
