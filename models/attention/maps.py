"""Attention maps: where chosen rows of a prompt look, in one call that ends at the last layer asked for.

Rerankers and compressors read relevance out of attention: In-Context Reranking sums the attention of the
query's tokens over each passage (Chen et al. 2024, arXiv 2410.02642), EHPC pools that of a few evaluator
heads of one layer over each token (Fei et al. 2025, arXiv 2501.12959). Both need some rows of some heads of
some layers, not the square matrices of `output_attentions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from transformers import DynamicCache

from base.errors import InputTooLong
from models.attention.blocks import Block
from models.attention.calls import ApeCall, enable_ape
from models.attention.weights import attention_weights
from models.networks.language_model import LanguageModel

Heads: TypeAlias = Sequence[int] | Mapping[int, Sequence[int]] | None
"""Query heads: the same of every layer, or by layer; None for all."""
Past: TypeAlias = Block | ApeCall | None
"""Kept keys before a prompt: one run in sequence, or a prefix and passages side by side."""
Reduce: TypeAlias = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """What `attention_maps` returns for one prompt.

    `weights` has a float32 tensor (heads, rows, columns) for each of `layers`, in order, on the model's
    device, or whatever `reduce` made of it. The columns are the past's tokens (`before` of them: the
    prefix, then the passages in order) and then the prompt's own. A row adds up to 1; columns behind the
    row's own token are 0. `block` holds the keys and values of the prompt's tokens in the layers up to the
    last one asked for, where it was asked for.
    """

    layers: tuple[int, ...]
    rows: tuple[int, ...]
    before: int
    weights: tuple[torch.Tensor, ...]
    block: Block | None = None

    @property
    def stacked(self) -> torch.Tensor:
        """All layers as one tensor (layers, heads, rows, columns); they must have as many heads."""
        return torch.stack(self.weights)


def attention_maps(
    lm: LanguageModel,
    ids: Sequence[int],
    *,
    layers: Sequence[int],
    heads: Heads = None,
    rows: Sequence[int] | None = None,
    past: Past = None,
    position: int | None = None,
    reduce: Reduce | None = None,
    keep_block: bool = False,
) -> AttentionMaps:
    """The attention of chosen rows, layers and heads over a prompt and over the kept keys before it.

    `rows` are places in `ids`; without them every row is kept. `position` is that of the first token;
    without it the prompt follows the longest passage of `past`. `reduce` gets each layer's
    (heads, rows, columns) as soon as there is one, so that only what it returns stays in memory. A block
    from `keep_block` may be the `past` of another call that asks for no later layer.

    The forward pass ends before the attention of the last layer asked for. Raises UnsupportedModel,
    InputTooLong, and ValueError for a prompt without tokens or a layer, head or row that does not exist.

        question = lm.encode("Who approves travel?")
        maps = attention_maps(lm, [*passage, *question], layers=[17, 18], rows=range(len(passage), n))
        maps.stacked.mean(dim=(0, 1, 2))[: len(passage)]  # the weight of each token of the passage
    """
    return batched_attention_maps(
        lm,
        [ids],
        layers=layers,
        heads=heads,
        rows=None if rows is None else [rows],
        past=past,
        position=position,
        reduce=reduce,
        keep_block=keep_block,
    )[0]


@torch.inference_mode()
def batched_attention_maps(
    lm: LanguageModel,
    prompts: Sequence[Sequence[int]],
    *,
    layers: Sequence[int],
    heads: Heads = None,
    rows: Sequence[Sequence[int]] | None = None,
    past: Past = None,
    position: int | None = None,
    reduce: Reduce | None = None,
    keep_block: bool = False,
) -> list[AttentionMaps]:
    """The maps of several prompts in one call, in order; each as `attention_maps` gives it.

    `rows` has the rows of each prompt. All prompts follow the same `past`. Prompts of similar length share
    a call best: shorter ones are padded.
    """
    enable_ape(lm)
    call = ApeCall.over(past, ()) if isinstance(past, Block) else past
    wanted = [range(len(ids)) for ids in prompts] if rows is None else rows
    start = _length(call) if position is None else position
    chosen = {layer: _heads_of(layer, heads) for layer in sorted(set(layers))}
    _check(lm, prompts, wanted, chosen, start)
    watch = _MapWatch(chosen, [len(ids) for ids in prompts], wanted, reduce)
    cache = DynamicCache() if keep_block else None
    _run(lm, prompts, start, call, watch, cache)
    return [
        AttentionMaps(
            layers=tuple(chosen),
            rows=tuple(wanted[at]),
            before=_columns(call),
            weights=tuple(watch.weights[at]),
            block=None if cache is None else _block(cache, at, len(ids)),
        )
        for at, ids in enumerate(prompts)
    ]


def first_layers(
    lm: LanguageModel, ids: Sequence[int], layers: int, *, past: Past = None, position: int | None = None
) -> Block:
    """Keys and values of a prompt's tokens in the first `layers` layers; no later layer is run.

    `past`, `position` and errors are as in `attention_maps`.
    """
    read = attention_maps(
        lm, ids, layers=[layers - 1], rows=[], past=past, position=position, keep_block=True
    )
    assert read.block is not None
    return read.block


class _Enough(Exception):
    """Ends a forward pass: all layers that were asked for have been seen."""


class _MapWatch:
    """Keeps the weights of the chosen layers, and ends the call at the last of them."""

    def __init__(
        self,
        heads: Mapping[int, Sequence[int] | None],
        lengths: Sequence[int],
        rows: Sequence[Sequence[int]],
        reduce: Reduce | None,
    ) -> None:
        self.weights: list[list[torch.Tensor]] = [[] for _ in lengths]
        self._heads, self._lengths, self._rows, self._reduce = heads, lengths, rows, reduce

    def see(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, ape: ApeCall | None, scaling: float
    ) -> None:
        """Takes the maps of a chosen layer, one prompt at a time: padding is in none of them."""
        if layer not in self._heads:
            return
        for at, (length, rows) in enumerate(zip(self._lengths, self._rows, strict=True)):
            one = slice(at, at + 1)
            weights = attention_weights(
                layer,
                query[one, :, :length],
                key[one, :, :length],
                ape,
                scaling,
                heads=self._heads[layer],
                rows=rows,
            )[0]
            self.weights[at].append(weights if self._reduce is None else self._reduce(weights))
        if layer == max(self._heads):
            raise _Enough


def _run(
    lm: LanguageModel,
    prompts: Sequence[Sequence[int]],
    start: int,
    call: ApeCall | None,
    watch: _MapWatch,
    cache: DynamicCache | None,
) -> None:
    """Reads the prompts up to the last layer wanted. Padding stands behind, where no row reads."""
    longest = max(map(len, prompts))
    padded = [[*ids, *[0] * (longest - len(ids))] for ids in prompts]
    try:
        lm.model.base_model(
            input_ids=torch.tensor(padded, device=lm.device),
            position_ids=torch.arange(start, start + longest, device=lm.device)[None],
            past_key_values=cache,
            use_cache=cache is not None,
            ape=call,
            watch=watch,
        )
    except _Enough:
        return


def _block(cache: DynamicCache, row: int, tokens: int) -> Block:
    """A copy of one row's keys and values: a view would keep the whole batch alive."""
    layers = [layer for layer in cache.layers if layer.keys is not None]
    return Block(
        torch.stack([layer.keys[row, :, :tokens] for layer in layers]),
        torch.stack([layer.values[row, :, :tokens] for layer in layers]),
    )


def _heads_of(layer: int, heads: Heads) -> Sequence[int] | None:
    return heads[layer] if isinstance(heads, Mapping) else heads


def _columns(call: ApeCall | None) -> int:
    """How many kept keys each row reads."""
    return 0 if call is None else _tokens(call.prefix) + sum(map(_tokens, call.passages))


def _length(call: ApeCall | None) -> int:
    """The position behind the kept keys, where the passages stand side by side."""
    return 0 if call is None else _tokens(call.prefix) + max(map(_tokens, call.passages), default=0)


def _tokens(run: Sequence[tuple[torch.Tensor, torch.Tensor]] | None) -> int:
    return int(run[0][0].shape[2]) if run else 0


def _check(
    lm: LanguageModel,
    prompts: Sequence[Sequence[int]],
    rows: Sequence[Sequence[int]],
    heads: Mapping[int, Sequence[int] | None],
    start: int,
) -> None:
    if not prompts or not all(len(ids) for ids in prompts):
        raise ValueError("a prompt without tokens has no attention")
    if not heads:
        raise ValueError("no layer was asked for")
    _check_places("layer", heads, lm.geometry.layers)
    for chosen in heads.values():
        _check_places("head", chosen or (), int(lm.model.config.num_attention_heads))
    for ids, places in zip(prompts, rows, strict=True):
        _check_places("row", places, len(ids))
        if start + len(ids) > lm.max_positions:
            raise InputTooLong(f"a prompt of {lm.name}", start + len(ids), lm.max_positions)


def _check_places(name: str, places: Iterable[int], number: int) -> None:
    for place in places:
        if not 0 <= place < number:
            raise ValueError(f"there is no {name} {place}; they are 0 to {number - 1}")
