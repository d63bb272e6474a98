"""Rows of different lengths, one after the other in flat tensors."""

from __future__ import annotations

import torch

from retrieval.tokens.scoring import NOTHING


def runs(starts: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every place of some runs, one run after the other, and the run that each belongs to.

    >>> runs(torch.tensor([5, 0]), torch.tensor([2, 1]))
    (tensor([5, 6, 0]), tensor([0, 0, 1]))
    """
    ends = lengths.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    every = torch.arange(len(lengths), device=lengths.device)
    members = torch.repeat_interleave(every, lengths, output_size=total)
    places = torch.arange(total, device=lengths.device) + (starts - ends + lengths)[members]
    return places, members


def mean_of_best(products: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean MaxSim (m,) of passages with `lengths` (m,), none 0, of the rows of `products` (n, q)."""
    best: torch.Tensor = torch.segment_reduce(products.float(), "max", lengths=lengths, axis=0)
    return best.mean(dim=1)


def best_of_rows(
    values: torch.Tensor, names: torch.Tensor, rows: torch.Tensor, count: int, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` largest values of each of `count` rows, and their names: (count, k).

    `rows`, ascending, says which row each value is in.
    """
    sizes = torch.bincount(rows, minlength=count)
    columns = torch.arange(len(rows), device=rows.device) - (sizes.cumsum(0) - sizes)[rows]
    width = int(sizes.max()) if count else 0
    grid = values.new_full((count, width), -torch.inf)
    grid[rows, columns] = values
    named = torch.full((count, width), NOTHING, dtype=torch.int64, device=rows.device)
    named[rows, columns] = names.long()
    return best_of_grid(grid, named, k)


def best_of_grid(values: torch.Tensor, names: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` largest of each row, best first, and their names; -inf and NOTHING where there are fewer."""
    best, at = values.topk(min(k, values.shape[1]), dim=1)
    named = names.gather(1, at).masked_fill(best.isneginf(), NOTHING)
    missing = k - best.shape[1]
    if missing:
        best = torch.nn.functional.pad(best, (0, missing), value=-torch.inf)
        named = torch.nn.functional.pad(named, (0, missing), value=NOTHING)
    return best, named
