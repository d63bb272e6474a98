"""Keys and values of answers that are being written: a row each, in one pair of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.blocks import Block, LayerKeyValues

_FEWEST_ROWS, _FEWEST_TOKENS = 4, 64


class RowKeys:
    """Rows of keys and values, of different lengths, in tensors (layers, rows, heads, tokens, dim).

    Both tensors begin with room for `rows` of `tokens` and double when they are full, so that a token
    costs no copy of those before it; without rows they are gone. What lies behind a row's end is finite,
    and no row may read it. They are of `dtype`, or else of what is added.
    """

    def __init__(
        self, rows: int = _FEWEST_ROWS, tokens: int = _FEWEST_TOKENS, dtype: torch.dtype | None = None
    ) -> None:
        self.lengths: list[int] = []
        self._room, self._dtype = (rows, tokens), dtype
        self._parts: tuple[torch.Tensor, torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of both tensors."""
        return sum(part.nbytes for part in self._parts or ())

    @property
    def device(self) -> torch.device:
        """Where the rows are; the CPU while there is none."""
        return torch.device("cpu") if self._parts is None else self._parts[0].device

    def add(self, layers: Sequence[LayerKeyValues]) -> None:
        """A last row that begins with these keys and values (1, heads, tokens, dim), which are copied."""
        length = int(layers[0][0].shape[2])
        heads, _, dim = layers[0][0].shape[1:]
        shape = (len(layers), self._room[0], heads, self._room[1], dim)
        parts = self._parts or _zeros(shape, like=layers[0][0].new_empty(0, dtype=self._dtype))
        parts = self._parts = self._grown(parts, len(self) + 1, length)
        for at, layer in enumerate(layers):
            for part, new in zip(parts, layer, strict=True):
                part[at, len(self), :, :length] = new[0]
        self.lengths.append(length)

    def remove(self, row: int) -> None:
        """Takes a row out; the last one moves to its place."""
        last, length = len(self) - 1, self.lengths[-1]
        if row != last:
            for part in self._parts or ():
                part[:, row, :, :length] = part[:, last, :, :length]
        self.lengths[row] = length
        self.lengths.pop()
        if not self.lengths:
            self._parts = None

    def reserve(self, tokens: int) -> None:
        """Makes room for so many more tokens in every row."""
        if self._parts is not None:
            self._parts = self._grown(self._parts, len(self), max(self.lengths) + tokens)

    def spots(self, rows: slice, places: torch.Tensor) -> torch.Tensor:
        """Where `write` puts the keys of `places` (rows, n) in each row; good until more room is made."""
        _, _, heads, room, _ = self._rows()[0].shape
        first = torch.arange(len(self))[rows][:, None] * heads + torch.arange(heads)
        return (first[..., None] * room + places[:, None]).flatten()

    def write(
        self, layer: int, rows: slice, spots: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> LayerKeyValues:
        """Puts keys and values (rows, heads, n, dim) at `spots` of a layer; returns all of the rows' there.

        What is returned are views (rows, heads, room, dim). The rows' lengths stay as they are.
        """
        all_keys, all_values = (part[layer] for part in self._rows())
        for part, new in ((all_keys, keys), (all_values, values)):
            dim = new.shape[3]
            part.view(-1, dim).index_copy_(0, spots, new.to(part.dtype).reshape(-1, dim))
        return all_keys[rows], all_values[rows]

    def block(self, row: int, tokens: int) -> Block:
        """A copy of the first keys and values of a row, written ones included."""
        keys, values = (part[:, row, :, :tokens].clone() for part in self._rows())
        return Block(keys, values)

    def _rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self._parts is None:
            raise ValueError("there are no rows")
        return self._parts

    def _grown(
        self, parts: tuple[torch.Tensor, torch.Tensor], rows: int, tokens: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        layers, had_rows, heads, had_tokens, dim = parts[0].shape
        room = _doubled(had_rows, rows), _doubled(had_tokens, tokens)
        if room == (had_rows, had_tokens):
            return parts
        grown = _zeros((layers, room[0], heads, room[1], dim), like=parts[0])
        used = max(self.lengths, default=0)
        for new, old in zip(grown, parts, strict=True):
            new[:, : len(self), :, :used] = old[:, : len(self), :, :used]
        return grown


def _zeros(shape: tuple[int, ...], *, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Zeros instead of uninitialised memory: a masked NaN would still spoil the sum."""
    return like.new_zeros(shape), like.new_zeros(shape)


def _doubled(size: int, wanted: int) -> int:
    while size < wanted:
        size *= 2
    return size
