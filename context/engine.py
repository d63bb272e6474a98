"""Answers from passages: the prompt is read in parallel blocks or in sequence, then the answer is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from excerpta.types.reading import ReadingMethod

from base.errors import InputTooLong
from context.defaults import EngineDefaults
from context.encoding.modules import read_modules
from context.encoding.plain import encode_passages, encode_prefix
from context.errors import InvalidContextOption
from context.namespace import namespace_of
from context.prefix_store import BlockKey, Keys, PrefixStore
from context.prompts.prompt import DEFAULT_PROMPT, AnswerPrompt, ContextPassage, PromptIds
from context.prompts.schema import FilledPrompt, Module, ModuleIds, check_modules, module_ids
from context.reading.base import AnyReading, Lead, Task
from context.reading.catalogue import CATALOGUE
from context.reading.held import Held
from context.reading.paths import encode_behind, path_saliency
from context.reading.saliencies import Saliencies
from context.writing.generation import Generation, TokenUsage
from context.writing.transcript import Writing
from models.attention.blocks import Block
from models.attention.calls import enable_ape
from models.attention.rotation import Rotation
from models.networks.language_model import LanguageModel


class _Owner(NamedTuple):
    """Whose block it is: equal salts share it, and it is deleted with the document."""

    salt: bytes
    document: str


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt as token ids: the passages with their owners, modules before them, the question behind."""

    texts: Sequence[list[int]]
    owners: Sequence[_Owner]
    tail: Sequence[int]
    asked: range
    modules: FilledPrompt | None
    placed: ModuleIds | None
    before: Sequence[int]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each passage."""
        return [len(ids) for ids in self.texts]


class ContextEngine:
    """Reads passages and a question with one language model and starts the answer.

    `context.reading` says how a prompt can be read. Most readings take every passage as a block of its own
    out of `store`, encoded only if no tier has it. Without `defaults`, T and S come from the folders
    of `calibrations` or from those shipped. Raises UnsupportedModel for a model that cannot do APE.
    """

    def __init__(
        self,
        lm: LanguageModel,
        store: PrefixStore,
        *,
        prompt: AnswerPrompt | None = None,
        defaults: EngineDefaults | None = None,
        calibrations: Sequence[Path] = (),
    ) -> None:
        enable_ape(lm)
        self.lm = lm
        self.store = store
        self.defaults = defaults or EngineDefaults.of(lm.fingerprint, calibrations)
        self.namespace = namespace_of(lm, store.storage)
        self._prompt = PromptIds(lm, prompt or AnswerPrompt.read(DEFAULT_PROMPT))
        self._prefix: Block | None = None
        self._prefix_lock = threading.Lock()
        self._saliencies = Saliencies()

    def start(
        self,
        question: str,
        passages: Sequence[ContextPassage],
        reading: ReadingMethod | None = None,
        *,
        writing: Writing,
        statistics: bool = False,
        salt: bytes = b"",
        modules: FilledPrompt | None = None,
        held: Held | None = None,
    ) -> Generation:
        """Reads the prompt, which takes a while, and returns the answer at its first token.

        Without a `reading`, the catalogue's default is taken. With `statistics`, the notes have the
        attention of the question. `salt` is that of passages without one. `modules` come before the passages,
        and are cached under the salt of the prompt. What the query has `held` is not read again, and is
        released here. Raises UnknownMethod, InvalidOption, InvalidContextOption, InvalidPromptModule, and
        InputTooLong before anything is read.
        """
        options = _checked(reading)
        how = _made(options)
        prompt = self._tokenised(question, passages, salt, modules)
        self._check_length(prompt, writing.max_tokens, in_sequence=how.in_sequence)
        held = held or Held()
        task = self._task(prompt, options.method, held, statistics=statistics, blocks=how.blocks)
        held.release()
        return Generation(self.lm, how.read(task, options), replace(writing, echo=self._prompt.echo))

    def saliency(
        self,
        question: str,
        passages: Sequence[ContextPassage],
        *,
        salt: bytes = b"",
        held: Held | None = None,
    ) -> list[float]:
        """Mean log p of the question's tokens after each passage alone: a ranking of cached passages.

        Passages in the store cost nothing but the question. Blocks stay `held` for the rest of the query.
        Raises InvalidContextOption, InputTooLong.
        """
        prompt = self._tokenised(question, passages, salt, None)
        self._check_length(prompt, 1, in_sequence=False)
        return list(self._task(prompt, "", held or Held()).saliency())

    def forget(self, passages: Sequence[ContextPassage], *, salt: bytes = b"") -> int:
        """Removes these passages' blocks from every tier, as for a deleted document; returns how many."""
        owned = [(self._prompt.passage(one), _owner(one, salt)) for one in passages]
        self.forget_texts()
        self.store.delete([self._lead_key(ids, owner) for ids, owner in owned])
        return self.store.delete([self._key(ids, owner) for ids, owner in owned])

    def forget_texts(self) -> None:
        """Clears the caches outside the prefix store, such as tokenised passages. Safe on every thread."""
        self._prompt.forget()
        self._saliencies.forget()

    def warm(
        self,
        passages: Sequence[ContextPassage],
        reading: ReadingMethod | None = None,
        *,
        salt: bytes = b"",
    ) -> int:
        """Encodes and caches those of these passages that the store lacks; returns how many it had.

        Where the reading wants them, the words that lead to a question are encoded after each passage as
        well. Raises UnknownMethod, InvalidOption.
        """
        how = _made(_checked(reading))
        texts = [self._prompt.passage(passage) for passage in passages]
        owners = [_owner(passage, salt) for passage in passages]
        blocks, cached = self._blocks(texts, owners, keep=True)
        if how.leads and self._prompt.lead:
            on_device = [block.to(self.lm.device) for block in blocks]
            self._lead(texts, owners, on_device, keep=True)
        return sum(cached)

    def _tokenised(
        self,
        question: str,
        passages: Sequence[ContextPassage],
        salt: bytes,
        modules: FilledPrompt | None,
    ) -> _Prompt:
        """Raises InvalidContextOption for an empty question, and InvalidPromptModule."""
        if not question.strip():
            raise InvalidContextOption("question", question, "a text")
        placed = None if modules is None else module_ids(modules, self.lm.encode)
        return _Prompt(
            texts=[self._prompt.passage(passage) for passage in passages],
            owners=[_owner(passage, salt) for passage in passages],
            tail=self._prompt.question(question),
            asked=self._prompt.asked(question),
            modules=modules,
            placed=placed,
            before=[] if placed is None else [*placed.ids, *self._prompt.closing],
        )

    def _task(
        self, prompt: _Prompt, method: str, held: Held, *, statistics: bool = False, blocks: bool = True
    ) -> Task:
        """The prompt with the blocks of its passages, which are encoded here if no tier has them."""
        found: tuple[Block, ...] = ()
        cached: tuple[bool, ...] = (False,) * len(prompt.texts)
        if blocks:
            found, cached = self._held_blocks(prompt, held)
        else:
            held.others += len(prompt.texts)
        prefix, usage = self._prefix_block(), TokenUsage(0, 0, len(prompt.before), 0)
        if blocks and prompt.placed is not None and prompt.modules is not None:
            prefix, usage = self._read_modules(
                prompt.placed, _Owner(prompt.modules.salt, prompt.modules.document)
            )
            found = tuple(self._rotation.move(block, len(prompt.before)) for block in found)
        lead = None
        if prompt.placed is None and self._prompt.lead:
            lead = cache(lambda: self._lead(prompt.texts, prompt.owners, found))
        return Task(
            method=method,
            lm=self.lm,
            prefix_ids=[*self._prompt.prefix, *prompt.before],
            texts=prompt.texts,
            tail=prompt.tail,
            asked=prompt.asked,
            prefix=prefix,
            blocks=found,
            usage=TokenUsage(
                context_tokens=usage.context_tokens + sum(prompt.lengths),
                cached_tokens=usage.cached_tokens
                + sum(size for size, hit in zip(prompt.lengths, cached, strict=True) if hit),
                question_tokens=usage.question_tokens + len(prompt.tail),
                generated_tokens=0,
            ),
            defaults=self.defaults,
            statistics=statistics,
            rotation=lambda: self._rotation,
            lead=lead,
            saliency=lambda: self._saliency(prompt, prefix, found, lead),
        )

    def _saliency(
        self, prompt: _Prompt, prefix: Block, blocks: Sequence[Block], lead: Lead | None
    ) -> Sequence[float]:
        """What was measured before, for this question after these passages, is not measured again."""

        def measure(places: Sequence[int]) -> Sequence[float]:
            behind = None if lead is None else [lead()[at] for at in places]
            chosen = [blocks[at] for at in places]
            return path_saliency(self.lm, prefix, chosen, prompt.tail, prompt.asked, behind)

        if prompt.placed is not None:  # modules stand before the passages, and the keys do not tell which
            return measure(range(len(blocks)))
        return self._saliencies.of(self._keys(prompt.texts, prompt.owners), prompt.tail, measure)

    def _held_blocks(self, prompt: _Prompt, held: Held) -> tuple[tuple[Block, ...], tuple[bool, ...]]:
        """The blocks on the device, and which of them the query did not encode; all are held from now on."""
        keys = self._keys(prompt.texts, prompt.owners)
        places = {key: at for at, key in enumerate(keys) if key not in held.blocks}
        blocks, cached = self._blocks(
            [prompt.texts[at] for at in places.values()], [prompt.owners[at] for at in places.values()]
        )
        held.made |= {key for key, hit in zip(places, cached, strict=True) if not hit}
        held.blocks |= {key: block.to(self.lm.device) for key, block in zip(places, blocks, strict=True)}
        return tuple(held.blocks[key] for key in keys), tuple(key not in held.made for key in keys)

    def check_modules(self, modules: Sequence[Module]) -> None:
        """Raises InvalidPromptModule, and InputTooLong for more than half of what the model can read."""
        check_modules(modules)
        placed = module_ids(FilledPrompt(tuple(modules)), self.lm.encode)
        tokens = len(self._prompt.prefix) + sum(map(len, placed.modules))
        if tokens > self.lm.max_positions // 2:
            raise InputTooLong("the prompt's modules", tokens, self.lm.max_positions // 2)

    def _read_modules(self, placed: ModuleIds, owner: _Owner) -> tuple[Block, TokenUsage]:
        """The prefix with the modules behind it."""
        read = read_modules(
            self.lm,
            self._rotation,
            self._prefix_block(),
            placed,
            self._prompt.closing,
            lambda texts: self._blocks(texts, [owner] * len(texts), keep=True),
        )
        return read.prefix, TokenUsage(read.tokens, read.cached, read.new, 0)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation(self.lm)

    def _blocks(
        self, texts: Sequence[list[int]], owners: Sequence[_Owner], *, keep: bool = False
    ) -> tuple[tuple[Block, ...], tuple[bool, ...]]:
        prefix = self._prefix_block()
        return self._fetch(
            self._keys(texts, owners),
            lambda missing: encode_passages(self.lm, prefix, [texts[at] for at in missing]),
            keep,
        )

    def _lead(
        self,
        texts: Sequence[list[int]],
        owners: Sequence[_Owner],
        passages: Sequence[Block],
        *,
        keep: bool = False,
    ) -> Sequence[Block]:
        """Blocks of the lead, the words before every question, after each passage."""
        prefix = self._prefix_block()
        blocks, _ = self._fetch(
            [self._lead_key(ids, owner) for ids, owner in zip(texts, owners, strict=True)],
            lambda missing: encode_behind(
                self.lm, prefix, [passages[at] for at in missing], self._prompt.lead
            ),
            keep,
        )
        return [block.to(self.lm.device) for block in blocks]

    def _keys(self, texts: Sequence[list[int]], owners: Sequence[_Owner]) -> list[BlockKey]:
        return [self._key(ids, owner) for ids, owner in zip(texts, owners, strict=True)]

    def _key(self, passage: Sequence[int], owner: _Owner) -> BlockKey:
        return Keys(self.namespace, owner.salt, self._prompt.prefix).key(passage, owner.document)

    def _lead_key(self, passage: Sequence[int], owner: _Owner) -> BlockKey:
        before = [*self._prompt.prefix, *passage]
        return Keys(self.namespace, owner.salt, before).key(self._prompt.lead, owner.document)

    def _fetch(
        self, keys: Sequence[BlockKey], make: Callable[[Sequence[int]], list[Block]], keep: bool = False
    ) -> tuple[tuple[Block, ...], tuple[bool, ...]]:
        fetched = self.store.fetch(
            keys, lambda missing: [block.to(torch.device("cpu")) for block in make(missing)], keep=keep
        )
        return fetched.blocks, fetched.cached

    def _prefix_block(self) -> Block:
        with self._prefix_lock:
            if self._prefix is None:
                self._prefix = encode_prefix(self.lm, self._prompt.prefix)
            return self._prefix

    def _check_length(self, prompt: _Prompt, max_tokens: int, *, in_sequence: bool) -> None:
        context = sum(prompt.lengths) if in_sequence else max(prompt.lengths, default=0)
        rest = len(prompt.before) + len(prompt.tail) + max_tokens
        total = len(self._prompt.prefix) + context + rest
        if total > self.lm.max_positions:
            raise InputTooLong("the prompt with its answer", total, self.lm.max_positions)


def _checked(reading: ReadingMethod | None) -> ReadingMethod:
    """The options, in bounds; a struct made in Python has not been checked. Raises InvalidOption."""
    return CATALOGUE.resolve({} if reading is None else msgspec.to_builtins(reading))


def _made(options: ReadingMethod) -> AnyReading:
    return CATALOGUE.of(options).make(None)


def _owner(passage: ContextPassage, salt: bytes) -> _Owner:
    return _Owner(passage.salt or salt, passage.document)
