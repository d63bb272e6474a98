"""A causal language model: likelihoods, next-token logits and chat prompts as token ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from base.errors import InputTooLong
from models.checkpoints.loading import load_network, quiet_transformers
from models.device import call_cost
from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.branches import last_states
from models.networks.chat import ChatPrompt
from models.networks.likelihood import LikelihoodScorer
from models.networks.tokenizer import TextTokenizer, TokenizedText

if TYPE_CHECKING:
    from models.attention.calls import AttentionCall
    from models.lean.llama import LeanLlama

_LOGIT_TRANSFORMS = ("final_logit_softcapping", "logit_scale", "logits_scaling")


@dataclass(frozen=True, slots=True)
class Geometry:
    """The shape of the keys and values of one token; `rope` is the rotary embedding as canonical JSON."""

    layers: int
    kv_heads: int
    head_dim: int
    rope: str


class LanguageModel:
    """A decoder-only transformer and its tokenizer.

    `geometry` and `full_attention` say whether, and in what shape, its keys and values can be kept. `lean`
    writes in place of the modules where there is one. Prompts are always read by the modules, so `lean`
    changes no block of keys and values, and no fingerprint.
    """

    def __init__(
        self, model: Any, tokenizer: Any, text_tokenizer: TextTokenizer, *, name: str, fingerprint: str
    ) -> None:
        config = model.config
        changed = [key for key in _LOGIT_TRANSFORMS if getattr(config, key, None) not in (None, 1, 1.0)]
        if changed:
            raise UnsupportedModel(name, f"its logits are transformed after the head ({', '.join(changed)})")
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = fingerprint
        self.device: torch.device = model.device
        self.dtype: torch.dtype = model.dtype
        self.vocabulary_size = int(config.vocab_size)
        self.max_positions = int(config.max_position_embeddings)
        self.eos_ids = _eos_ids(model, tokenizer)
        self.geometry = _geometry(config)
        self.full_attention = _full_attention(config)
        self.lean: LeanLlama | None = None
        self._text = text_tokenizer
        self._chat = ChatPrompt(tokenizer, text_tokenizer, name)
        self._head = model.get_output_embeddings()
        self._head.register_forward_pre_hook(_with_plain_strides)
        self._likelihood = LikelihoodScorer(
            model, call_cost=call_cost(self.device), share=self.full_attention
        )

    @classmethod
    def load(
        cls, directory: Path, *, name: str, fingerprint: str, device: torch.device, dtype: torch.dtype
    ) -> LanguageModel:
        """Loads a checkpoint in the transformers layout.

        Raises ModelNotFound, ModelCorrupt, UnsupportedModel.
        """
        model = load_network("AutoModelForCausalLM", directory, dtype=dtype, device=device)
        try:
            with quiet_transformers():
                tokenizer = transformers.AutoTokenizer.from_pretrained(directory, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ModelCorrupt(str(directory), str(error).splitlines()[0]) from error
        return cls(model, tokenizer, TextTokenizer.load(directory), name=name, fingerprint=fingerprint)

    def with_model(self, model: Any, *, fingerprint: str) -> LanguageModel:
        """Another network in its place, such as an adapted copy, with the same tokenizer."""
        return LanguageModel(model, self.tokenizer, self._text, name=self.name, fingerprint=fingerprint)

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text; names of control tokens in it are read as text."""
        return self._text.encode(text)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Token ids and character offsets of each text, without special tokens."""
        return self._text.tokenize(texts)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids; control tokens are left out."""
        return self._text.decode(ids)

    def chat(self, messages: Sequence[Mapping[str, str]], *, assistant_prefix: str = "") -> list[int]:
        """Token ids of a conversation in the model's own chat format, up to where the assistant speaks.

        A message has `role` and `content`; the answer continues `assistant_prefix`. Control tokens named
        inside a message stay text. Raises UnsupportedModel without a chat template, or if it refuses a role.
        """
        return self._chat.ids(messages, assistant_prefix)

    def log_likelihoods(
        self,
        prompts: Sequence[Sequence[int]],
        continuations: Sequence[Sequence[int]],
        *,
        batch_tokens: int = 4096,
    ) -> list[NDArray[np.float64]]:
        """log p of each token of each continuation, given its prompt and the tokens before it.

        Returns one float64 (len(continuation),) a pair, in order. Pairs of similar length share a call of
        at most `batch_tokens` tokens, a common beginning of all is read once, and the head reads only the
        continuations. Raises InputTooLong before anything runs, and ValueError for an empty prompt.
        """
        pairs = list(zip(prompts, continuations, strict=True))
        for prompt, continuation in pairs:
            self._check_length(len(prompt), len(continuation))
        return self._likelihood.score(pairs, batch_tokens)

    def next_logits(self, prompt: Sequence[int], token_ids: Sequence[int]) -> NDArray[np.float64]:
        """Logits of `token_ids` (k,) right after `prompt`: one forward call, only these rows of the head.

        Raises InputTooLong, and ValueError for an empty prompt.
        """
        self._check_length(len(prompt), 0)
        return self.branch_logits([], [prompt], token_ids)[0]

    @torch.inference_mode()
    def branch_logits(
        self, prefix: Sequence[int], branches: Sequence[Sequence[int]], token_ids: Sequence[int]
    ) -> NDArray[np.float64]:
        """Logits of `token_ids` (b, k) after each of the branches of `prefix`, which is read once.

        Raises InputTooLong, and ValueError for a branch without tokens.
        """
        for branch in branches:
            self._check_length(len(prefix) + len(branch), 0)
        hidden = last_states(self.model.base_model, prefix, branches, share=self.full_attention)
        rows = torch.tensor(list(token_ids), dtype=torch.long, device=self.device)
        logits = hidden.float() @ self._head.weight[rows].float().T
        if self._head.bias is not None:
            logits = logits + self._head.bias[rows].float()
        values: NDArray[np.float64] = logits.double().cpu().numpy()
        return values

    def write_lean(self, *, packed: bool, cache: Path | None = None) -> str | None:
        """Has `step` go without the modules; returns why this model cannot.

        With `packed`, products of a few rows read packed weights where these are faster here, as measured
        once and kept in `cache`, and differ little from the dense ones.
        """
        from models.lean.llama import LeanLlama, why_not  # with transformers' own Llama, which takes seconds
        from models.lean.table import kernel_table

        if (reason := why_not(self.model)) is None:
            config = self.model.config
            shape = (2 * config.intermediate_size, config.hidden_size)
            table = kernel_table(cache, shape, self.dtype) if packed else None
            self.lean = LeanLlama(self.model, table)
        return reason

    @torch.inference_mode()
    def step(self, ids: torch.Tensor, positions: torch.Tensor, call: AttentionCall) -> torch.Tensor:
        """Logits (rows, queries, vocabulary) behind `ids` (rows, queries) at `positions`.

        `call` attends over the keys of everything before, and keeps those of these tokens. Without `lean`,
        and where an adapter has changed the modules since, the modules compute it.
        """
        if self.lean is not None and self.lean.stands_for(self.model):
            return self.lean(ids, positions, call)
        logits: torch.Tensor = self.model(
            input_ids=ids.to(self.device), position_ids=positions.to(self.device), use_cache=False, ape=call
        ).logits
        return logits

    def _check_length(self, prompt: int, continuation: int) -> None:
        if prompt == 0:
            raise ValueError("the prompt has no tokens; start it with the model's first token")
        if prompt + continuation > self.max_positions:
            raise InputTooLong(f"a prompt of {self.name}", prompt + continuation, self.max_positions)


def _with_plain_strides(_: Any, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """The head's input as a tensor of its own instead of a slice of a longer one.

    For a slice PyTorch copies the weights of a frozen linear layer at every call (on a CPU in bfloat16:
    93 ms in place of 7 for 49,152 tokens and 576 dimensions).
    """
    hidden, *rest = arguments
    return hidden.clone(memory_format=torch.contiguous_format), *rest


def _geometry(config: Any) -> Geometry:
    heads = int(config.num_attention_heads)
    return Geometry(
        layers=int(config.num_hidden_layers),
        kv_heads=int(getattr(config, "num_key_value_heads", None) or heads),
        head_dim=int(getattr(config, "head_dim", None) or config.hidden_size // heads),
        rope=json.dumps(
            getattr(config, "rope_parameters", None) or {}, sort_keys=True, separators=(",", ":")
        ),
    )


def _full_attention(config: Any) -> bool:
    """Whether every layer attends to everything before it, so that keys and values can be reused freely."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None:
        return set(kinds) == {"full_attention"}
    return getattr(config, "sliding_window", None) is None


def _eos_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends an answer: checkpoints name them in three places, often differently."""
    named = (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id)
    ids: set[int] = set()
    for value in named:
        if value is not None:
            ids.update(value if isinstance(value, list | tuple) else [value])
    return frozenset(int(token) for token in ids)
