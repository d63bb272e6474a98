"""Paths of superposition: shared prefix, one passage, and then the same tokens for all, read in one batch.

The passages are not moved. Each row of the batch reads its own passage, so nothing is padded or copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from models.attention.batch import BatchCall, FrozenPart
from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.attention.row_keys import RowKeys
from models.executor import breathe, piece
from models.networks.language_model import LanguageModel

_BATCH_TOKENS = 1024


def encode_behind(
    lm: LanguageModel, prefix: Block, passages: Sequence[Block], ids: Sequence[int]
) -> list[Block]:
    """Blocks of the same tokens behind each passage, which stands alone after `prefix`."""
    blocks: list[Block] = []
    for rows in _batches(len(passages), len(ids)):
        own = _begun(passages[rows], None, len(ids))
        _forward(lm.model.base_model, lm, prefix, passages[rows], own, ids)
        blocks += [own.block(row, len(ids)) for row in range(len(own))]
    return blocks


def path_log_likelihoods(
    lm: LanguageModel,
    prefix: Block,
    passages: Sequence[Block],
    ids: Sequence[int],
    asked: range,
    *,
    behind: Sequence[Block] | None = None,
) -> list[list[float]]:
    """log p of the tokens at `asked` of `ids` behind each passage; the first token of `ids` has none.

    `behind` are blocks of tokens between each passage and `ids`, the same number for each.
    """
    found: list[list[float]] = []
    read = ids[: asked.stop - 1]
    places = torch.arange(asked.start - 1, asked.stop - 1, device=lm.device)
    wanted = torch.tensor([ids[at] for at in asked], device=lm.device)
    for rows in _batches(len(passages), len(read)):
        own = _begun(passages[rows], None if behind is None else behind[rows], len(read))
        output = _forward(lm.model, lm, prefix, passages[rows], own, read, logits_to_keep=places)
        log_p = torch.log_softmax(output.logits.float(), dim=-1)
        of_wanted = log_p.gather(-1, wanted.expand(len(own), -1)[..., None])[..., 0]
        found += [[float(value) for value in row] for row in of_wanted]
    return found


def path_saliency(
    lm: LanguageModel,
    prefix: Block,
    blocks: Sequence[Block],
    tail: Sequence[int],
    asked: range,
    lead: Sequence[Block] | None = None,
) -> list[float]:
    """Mean log p of the tail's `asked` tokens after prefix and each passage, one number per passage.

    `lead` are the cached blocks of the tail's beginning after each passage, if there are any.
    """
    known = lead[0].tokens if lead else 0
    rest = range(asked.start - known, asked.stop - known)
    log_p = path_log_likelihoods(lm, prefix, blocks, tail[known:], rest, behind=lead or None)
    return [sum(row) / len(row) for row in log_p]


def _batches(paths: int, tokens: int) -> Iterator[slice]:
    """Rows that are read in one call; other answers may be written between two of them."""
    rows = max(1, piece(_BATCH_TOKENS) // max(1, tokens))
    for start in range(0, paths, rows):
        breathe()
        yield slice(start, start + rows)


def _begun(passages: Sequence[Block], behind: Sequence[Block] | None, more: int) -> RowKeys:
    """A row a passage, which begins with what stands behind it and has room for `more` tokens."""
    own = RowKeys(len(passages), more + (behind[0].tokens if behind else 0))
    for at, passage in enumerate(passages):
        if behind is None:
            own.add([(keys[:, :, :0], values[:, :, :0]) for keys, values in passage.layers()])
        else:
            own.add(behind[at].layers())
    return own


@torch.inference_mode()
def _forward(
    network: Any,
    lm: LanguageModel,
    prefix: Block,
    passages: Sequence[Block],
    own: RowKeys,
    ids: Sequence[int],
    **options: Any,
) -> Any:
    """Reads `ids` at the end of every path; their keys and values stand behind the end of `own`'s rows."""
    begins = [prefix.tokens + block.tokens + had for block, had in zip(passages, own.lengths, strict=True)]
    positions = torch.tensor(begins)[:, None] + torch.arange(len(ids))
    parts = [FrozenPart(ApeCall.over(prefix, [block])) for block in passages]
    return network(
        input_ids=torch.tensor([list(ids)], device=lm.device).expand(len(parts), -1),
        position_ids=positions.to(lm.device),
        use_cache=False,
        ape=BatchCall(own, slice(0, len(parts)), parts, len(ids)),
        **options,
    )
