"""Prompts made of modules whose keys and values are kept: only what is new in a prompt is computed.

Each module is read alone at its own positions, as the paper does, so modules do not know of each other;
what is new (arguments and text) reads all modules that the prompt uses, wherever they stand.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence

import torch
from transformers import DynamicCache

from context.attention import ApeCall, enable_ape
from context.blocks import Block
from context.errors import InvalidPromptModule
from context.generation import ReadPrompt, TokenUsage
from context.notes import ReadingNotes
from context.parallel import encode_prefix
from context.prompt_schema import Module, OneOf, PlacedModule, lay_out
from models.errors import InputTooLong
from models.language_model import LanguageModel


class PromptCache:
    """The modules of one schema for one model, each encoded when a prompt first uses it.

    `replace` changes the schema: modules with another text or at other positions are made anew, the
    others stay. Raises InvalidPromptModule, and UnsupportedModel.
    """

    def __init__(self, lm: LanguageModel, parts: Sequence[Module | OneOf]) -> None:
        enable_ape(lm)
        self._lm = lm
        self._blocks: dict[str, Block] = {}
        self._lock = threading.Lock()
        self.replace(parts)

    def replace(self, parts: Sequence[Module | OneOf]) -> None:
        """A new version of the schema; blocks that it does not need are dropped."""
        placed = lay_out(parts, self._encode)
        self._alternatives = [{one.name for one in part.modules} for part in parts if isinstance(part, OneOf)]
        with self._lock:
            self.modules = placed
            wanted = {_key(one) for one in placed.values()}
            self._blocks = {key: block for key, block in self._blocks.items() if key in wanted}

    def read(
        self,
        text: str,
        modules: Sequence[str],
        arguments: Mapping[str, Mapping[str, str]] | None = None,
    ) -> ReadPrompt:
        """Reads `text` behind the modules named; `arguments` has values by module and parameter.

        A parameter without a value stays empty. Raises InvalidPromptModule, InputTooLong.
        """
        used = self._chosen(modules)
        own, positions = self._filled(used, arguments or {})
        start = max((one.stop for one in used), default=0)
        tail = self._encode(text)
        if not tail:
            raise InvalidPromptModule("", "the text behind the modules is empty")
        if start + len(tail) > self._lm.max_positions:
            raise InputTooLong("the prompt", start + len(tail), self._lm.max_positions)
        blocks = [self._block(one) for one in used]
        call = ApeCall.over(None, [block for block, _ in blocks])
        logits, cache = self._read(own + tail, positions + list(range(start, start + len(tail))), call)
        usage = TokenUsage(
            context_tokens=sum(block.tokens for block, _ in blocks),
            cached_tokens=sum(block.tokens for block, cached in blocks if cached),
            question_tokens=len(own) + len(tail),
            generated_tokens=0,
        )
        return ReadPrompt(cache, logits, start + len(tail), call, usage, ReadingNotes(mode="modules"))

    def _chosen(self, names: Sequence[str]) -> list[PlacedModule]:
        for name in names:
            if name not in self.modules or list(names).count(name) > 1:
                known = ", ".join(self.modules)
                raise InvalidPromptModule(name, f"a prompt uses each of {known} once at most, and no other")
        for group in self._alternatives:
            if len(group & set(names)) > 1:
                raise InvalidPromptModule(sorted(group & set(names))[1], "another of its place is used")
        return [self.modules[name] for name in names]

    def _filled(
        self, used: Sequence[PlacedModule], arguments: Mapping[str, Mapping[str, str]]
    ) -> tuple[list[int], list[int]]:
        """Tokens and positions of the arguments."""
        ids: list[int] = []
        positions: list[int] = []
        by_name = {one.name: one for one in used}
        for module, values in arguments.items():
            slots = by_name[module].slots if module in by_name else {}
            for name, value in values.items():
                if name not in slots:
                    raise InvalidPromptModule(module, f"the prompt has no parameter {name!r} of it")
                tokens, places = self._lm.encode(value), slots[name]
                if len(tokens) > len(places):
                    raise InvalidPromptModule(
                        module, f"{name!r} has {len(tokens)} tokens; there is room for {len(places)}"
                    )
                ids += tokens
                positions += list(places)[: len(tokens)]
        return ids, positions

    def _block(self, module: PlacedModule) -> tuple[Block, bool]:
        """Keys and values of the module's own text, and whether they were there already."""
        key = _key(module)
        with self._lock:
            if (found := self._blocks.get(key)) is not None:
                return found, True
            # Something stands in a parameter's places while the module is read, and is cut out of it then.
            held = self._placeholder()
            ids = [held if token is None else token for token in module.ids]
            whole = encode_prefix(self._lm, ids, start=module.start)
            text = torch.tensor([at for at, token in enumerate(module.ids) if token is not None])
            text = text.to(whole.keys.device)
            block = Block(whole.keys.index_select(2, text), whole.values.index_select(2, text))
            self._blocks[key] = block
            return block, False

    def _placeholder(self) -> int:
        tokenizer = self._lm.tokenizer
        known = (tokenizer.unk_token_id, tokenizer.pad_token_id, *sorted(self._lm.eos_ids))
        return next(int(token) for token in known if token is not None)

    @torch.inference_mode()
    def _read(
        self, ids: Sequence[int], positions: Sequence[int], call: ApeCall
    ) -> tuple[torch.Tensor, DynamicCache]:
        cache = DynamicCache()
        output = self._lm.model(
            input_ids=torch.tensor([list(ids)], device=self._lm.device),
            position_ids=torch.tensor([list(positions)], device=self._lm.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            ape=call,
        )
        return output.logits[0, -1], cache

    def _encode(self, text: str) -> list[int]:
        """Token ids of the schema's own text, in which control tokens are meant."""
        return list(self._lm.tokenizer(text, add_special_tokens=False).input_ids)


def _key(module: PlacedModule) -> str:
    content = json.dumps([module.ids, module.start], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
