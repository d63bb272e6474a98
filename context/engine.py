"""Answers from passages: the prompt is read in parallel blocks or in sequence, then the answer is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import torch

from base.errors import InputTooLong
from context.defaults import find_calibration
from context.encoding.modules import SALT, read_modules
from context.encoding.plain import encode_passages, encode_prefix
from context.errors import InvalidContextOption
from context.namespace import namespace_of
from context.prefix_store import BlockKey, Keys, PrefixStore
from context.prompts.prompt import DEFAULT_PROMPT, AnswerPrompt, ContextPassage, PromptIds
from context.prompts.schema import FilledPrompt, Module, ModuleIds, check_modules, module_ids
from context.reading.catalogue import (
    CALIBRATED,
    DEFAULT_MODE,
    IN_SEQUENCE,
    MODES,
    Mode,
    ModeSettings,
    Task,
    path_saliency,
)
from context.reading.paths import encode_behind
from context.writing.generation import Generation, TokenUsage
from context.writing.transcript import Writing
from models.attention.blocks import Block
from models.attention.calls import enable_ape
from models.attention.rotation import Rotation
from models.networks.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class EngineDefaults:
    """The defaults of `ContextEngine.start`.

    T = S = 0.9 are the values of APE's authors, for models of 7 billion parameters and more. Smaller models
    need other values (`excerpta calibrate`). `no_repeat_ngram` stops the loops that small models fall into
    with greedy decoding.
    """

    temperature: float = 0.9
    scale: float = 0.9
    recompute_tokens: int = 16
    recompute_share: float = 0.15
    no_repeat_ngram: int = 8

    @classmethod
    def of(cls, fingerprint: str, calibrations: Sequence[Path] = ()) -> EngineDefaults:
        """The defaults for a model, with calibrated T and S where they exist. Raises InvalidCalibration."""
        found = find_calibration(fingerprint, calibrations)
        return cls() if found is None else cls(temperature=found.temperature, scale=found.scale)


class ContextEngine:
    """Reads passages and a question with one language model and starts the answer.

    `context.reading` says how a prompt can be read. In all modes but "sequential" every passage is its own
    block out of `store`, encoded only if no tier has it. Without `defaults`, T and S come from the folders
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

    def start(
        self,
        question: str,
        passages: Sequence[ContextPassage],
        *,
        mode: Mode = "ape",
        temperature: float | None = None,
        scale: float | None = None,
        bias: float = 0.0,
        keep: int | None = None,
        statistics: bool = False,
        max_tokens: int = 200,
        sampling_temperature: float = 0.0,
        seed: int | None = None,
        salt: bytes = b"",
        modules: FilledPrompt | None = None,
    ) -> Generation:
        """Reads the prompt, which takes a while, and returns the answer at its first token.

        `temperature` (T), `scale` (S) and `bias` matter in the modes "ape", "guard" and "superposition";
        `keep`, how many passages are left, in the latter two. None means the calibrated value, and in
        superposition T = S = 1. With `statistics`, the notes have the attention of the question. Blocks are
        shared only between equal salts. `modules` come before the passages; their cache entries are shared
        by all tenants. Raises InvalidContextOption, InvalidPromptModule, and InputTooLong before anything
        is read.
        """
        # T and S help only with many passages. Superposition keeps about two, where they hurt.
        usual = self.defaults if mode in CALIBRATED else ModeSettings()
        settings = ModeSettings(
            temperature=usual.temperature if temperature is None else temperature,
            scale=usual.scale if scale is None else scale,
            bias=bias,
            keep=keep,
            recompute_tokens=self.defaults.recompute_tokens,
            recompute_share=self.defaults.recompute_share,
        )
        _check(question, mode, settings, max_tokens, sampling_temperature)
        writing = Writing(
            max_tokens=max_tokens,
            temperature=sampling_temperature,
            seed=seed,
            no_repeat_ngram=self.defaults.no_repeat_ngram,
        )
        task = self._task(question, passages, mode, settings, max_tokens, salt, statistics, modules)
        return Generation(self.lm, MODES[mode](task), writing)

    def saliency(
        self, question: str, passages: Sequence[ContextPassage], *, salt: bytes = b""
    ) -> list[float]:
        """Mean log p of the question's tokens after each passage alone: a ranking of cached passages.

        Passages in the store cost nothing but the question. Raises InvalidContextOption, InputTooLong.
        """
        settings = ModeSettings()
        _check(question, "superposition", settings, 1, 0.0)
        task = self._task(question, passages, "superposition", settings, 1, salt, False)
        return path_saliency(
            self.lm, task.prefix, task.blocks, task.tail, task.asked, task.lead and task.lead()
        )

    def forget(self, passages: Sequence[ContextPassage], *, salt: bytes = b"") -> int:
        """Removes these passages' blocks from every tier, as for a deleted document; returns how many."""
        keys = Keys(self.namespace, salt, self._prompt.prefix)
        texts = [(self._prompt.passage(one), one.document) for one in passages]
        self.forget_texts()
        self.store.delete([self._lead_key(ids, document, salt) for ids, document in texts])
        return self.store.delete([keys.key(ids, document) for ids, document in texts])

    def forget_texts(self) -> None:
        """Clears the caches outside the prefix store, such as tokenised passages. Safe on every thread."""
        self._prompt.forget()

    def warm(
        self, passages: Sequence[ContextPassage], *, salt: bytes = b"", mode: Mode = DEFAULT_MODE
    ) -> int:
        """Encodes and caches those of these passages that the store lacks; returns how many it had.

        For superposition the words that lead to a question are encoded after each passage as well.
        Raises InvalidContextOption.
        """
        _check_mode(mode)
        texts = [self._prompt.passage(passage) for passage in passages]
        documents = [passage.document for passage in passages]
        blocks, cached = self._blocks(texts, documents, salt, keep=True)
        if mode == "superposition" and self._prompt.lead:
            on_device = [block.to(self.lm.device) for block in blocks]
            self._lead(texts, documents, salt, on_device, keep=True)
        return sum(cached)

    def _task(
        self,
        question: str,
        passages: Sequence[ContextPassage],
        mode: Mode,
        settings: ModeSettings,
        max_tokens: int,
        salt: bytes,
        statistics: bool,
        modules: FilledPrompt | None = None,
    ) -> Task:
        """The prompt with the blocks of its passages, which are encoded here if no tier has them."""
        texts = [self._prompt.passage(passage) for passage in passages]
        documents = [passage.document for passage in passages]
        tail = self._prompt.question(question)
        lengths = [len(ids) for ids in texts]
        placed = None if modules is None else module_ids(modules, self.lm.encode)
        before = [] if placed is None else [*placed.ids, *self._prompt.closing]
        self._check_length(mode, lengths, len(before) + len(tail) + max_tokens)
        blocks: tuple[Block, ...] = ()
        cached: tuple[bool, ...] = (False,) * len(texts)
        if mode != "sequential":
            blocks, cached = self._blocks(texts, documents, salt)
        blocks = tuple(block.to(self.lm.device) for block in blocks)
        prefix, usage = self._prefix_block(), TokenUsage(0, 0, len(before), 0)
        if placed is not None and modules is not None and mode != "sequential":
            prefix, usage = self._read_modules(placed, modules.document)
            blocks = tuple(self._rotation.move(block, len(before)) for block in blocks)
        return Task(
            mode=mode,
            lm=self.lm,
            prefix_ids=[*self._prompt.prefix, *before],
            texts=texts,
            tail=tail,
            asked=self._prompt.asked(question),
            prefix=prefix,
            blocks=blocks,
            usage=TokenUsage(
                context_tokens=usage.context_tokens + sum(lengths),
                cached_tokens=usage.cached_tokens
                + sum(size for size, hit in zip(lengths, cached, strict=True) if hit),
                question_tokens=usage.question_tokens + len(tail),
                generated_tokens=0,
            ),
            settings=settings,
            statistics=statistics,
            rotation=lambda: self._rotation,
            lead=(lambda: self._lead(texts, documents, salt, blocks))
            if placed is None and self._prompt.lead
            else None,
        )

    def check_modules(self, modules: Sequence[Module]) -> None:
        """Raises InvalidPromptModule, and InputTooLong for more than half of what the model can read."""
        check_modules(modules)
        placed = module_ids(FilledPrompt(tuple(modules)), self.lm.encode)
        tokens = len(self._prompt.prefix) + sum(map(len, placed.modules))
        if tokens > self.lm.max_positions // 2:
            raise InputTooLong("the prompt's modules", tokens, self.lm.max_positions // 2)

    def _read_modules(self, placed: ModuleIds, document: str) -> tuple[Block, TokenUsage]:
        """The prefix with the modules behind it."""
        read = read_modules(
            self.lm,
            self._rotation,
            self._prefix_block(),
            placed,
            self._prompt.closing,
            lambda texts: self._blocks(texts, [document] * len(texts), SALT, keep=True),
        )
        return read.prefix, TokenUsage(read.tokens, read.cached, read.new, 0)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation(self.lm)

    def _blocks(
        self, texts: Sequence[list[int]], documents: Sequence[str], salt: bytes, *, keep: bool = False
    ) -> tuple[tuple[Block, ...], tuple[bool, ...]]:
        prefix = self._prefix_block()
        keys = Keys(self.namespace, salt, self._prompt.prefix)
        return self._fetch(
            [keys.key(ids, document) for ids, document in zip(texts, documents, strict=True)],
            lambda missing: encode_passages(self.lm, prefix, [texts[at] for at in missing]),
            keep,
        )

    def _lead(
        self,
        texts: Sequence[list[int]],
        documents: Sequence[str],
        salt: bytes,
        passages: Sequence[Block],
        *,
        keep: bool = False,
    ) -> Sequence[Block]:
        """Blocks of the lead, the words before every question, after each passage."""
        prefix = self._prefix_block()
        blocks, _ = self._fetch(
            [self._lead_key(ids, document, salt) for ids, document in zip(texts, documents, strict=True)],
            lambda missing: encode_behind(
                self.lm, prefix, [passages[at] for at in missing], self._prompt.lead
            ),
            keep,
        )
        return [block.to(self.lm.device) for block in blocks]

    def _lead_key(self, passage: Sequence[int], document: str, salt: bytes) -> BlockKey:
        return Keys(self.namespace, salt, [*self._prompt.prefix, *passage]).key(self._prompt.lead, document)

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

    def _check_length(self, mode: Mode, passages: Sequence[int], rest: int) -> None:
        context = sum(passages) if mode in IN_SEQUENCE else max(passages, default=0)
        total = len(self._prompt.prefix) + context + rest
        if total > self.lm.max_positions:
            raise InputTooLong("the prompt with its answer", total, self.lm.max_positions)


def _check(
    question: str, mode: str, settings: ModeSettings, max_tokens: int, sampling_temperature: float
) -> None:
    _check_mode(mode)
    if not question.strip():
        raise InvalidContextOption("question", question, "a text")
    for name in ("temperature", "scale"):
        if not 0 < getattr(settings, name) <= 2:
            raise InvalidContextOption(name, getattr(settings, name), "above 0 and at most 2")
    if not -20 <= settings.bias <= 20:
        raise InvalidContextOption("bias", settings.bias, "between -20 and 20")
    if settings.keep is not None and settings.keep < 1:
        raise InvalidContextOption("keep", settings.keep, "at least 1")
    if not 0 <= sampling_temperature <= 2:
        raise InvalidContextOption("sampling_temperature", sampling_temperature, "between 0 and 2")
    if max_tokens < 1:
        raise InvalidContextOption("max_tokens", max_tokens, "at least 1")


def _check_mode(mode: str) -> None:
    if mode not in get_args(Mode):
        raise InvalidContextOption("mode", mode, "one of " + ", ".join(get_args(Mode)))
