"""The tables that stand beside each other in a sheet, apart by blank columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.corpus.loaders.sheets.cells import SheetRow
from retrieval.corpus.loaders.tabular.rows import Row

_TOGETHER = 0.8
_ONE_COLUMN_TOGETHER = 0.5


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a sheet: its first column, from 1, and its rows, with a blank one where some are missing."""

    left: int
    rows: list[Row]

    @property
    def span(self) -> tuple[int, int]:
        """The numbers of its first and last rows."""
        return self.rows[0].number, self.rows[-1].number


@dataclass(slots=True)
class _Group:
    """Columns next to each other, and how many rows have a cell in them, alone and with the group before."""

    columns: list[int]
    rows: int = 0
    shared: int = 0


def regions(rows: Sequence[SheetRow]) -> list[Region]:
    """The parts of a sheet from left to right, and from top to bottom. Each may hold several tables.

    Columns are parts of their own beside a blank column if their rows are others than those of their
    neighbours: a blank column within one table parts nothing.
    """
    rows = [row for row in rows if row.cells]
    groups = _groups(rows)
    if len(groups) > 1:
        return (
            [part for group in groups for part in regions(_within(rows, group))]
            if _progress(rows, groups)
            else [_region(rows)]
        )
    bands = list(_bands(rows))
    if len(bands) > 1 and any(len(_groups(band)) > 1 for band in bands):
        return [
            part for run in _runs(bands) for part in (regions(run[0]) if len(run) == 1 else [_joined(run)])
        ]
    return [_region(rows)] if rows else []


def _progress(rows: Sequence[SheetRow], groups: Sequence[list[int]]) -> bool:
    return all(len(_within(rows, group)) > 0 for group in groups)


def _runs(bands: Sequence[list[SheetRow]]) -> Iterator[list[list[SheetRow]]]:
    """Bands that follow each other and are whole, together; each that is parted, alone."""
    run: list[list[SheetRow]] = []
    for band in bands:
        if len(_groups(band)) > 1:
            if run:
                yield run
            yield [band]
            run = []
        else:
            run.append(band)
    if run:
        yield run


def _joined(run: Sequence[list[SheetRow]]) -> Region:
    return _region([row for band in run for row in band])


def _groups(rows: Sequence[SheetRow]) -> list[list[int]]:
    """The columns of each part; a title over all of them parts nothing."""
    speaking = [row for row in rows if not row.has_one_text()] or rows
    used = sorted({column for row in speaking for column in row.cells})
    groups: list[_Group] = []
    for column in used:
        if groups and column == groups[-1].columns[-1] + 1:
            groups[-1].columns.append(column)
        else:
            groups.append(_Group([column]))
    if len(groups) < 2:
        return [group.columns for group in groups]
    of_column = {column: at for at, group in enumerate(groups) for column in group.columns}
    for row in speaking:
        touched = {of_column[column] for column in row.cells}
        for at in touched:
            groups[at].rows += 1
            groups[at].shared += at - 1 in touched
    parts = [groups[0].columns]
    for before, group in pairwise(groups):
        if _apart(before, group):
            parts.append(group.columns)
        else:
            parts[-1] = parts[-1] + group.columns
    return parts


def _apart(before: _Group, group: _Group) -> bool:
    share = group.shared / max(before.rows, group.rows)
    one = len(before.columns) == 1 or len(group.columns) == 1
    return share < (_ONE_COLUMN_TOGETHER if one else _TOGETHER)


def _within(rows: Sequence[SheetRow], columns: Sequence[int]) -> list[SheetRow]:
    """The rows with the cells of some columns alone. Notes go with the part that has their cell."""
    wanted = set(columns)
    found = []
    for row in rows:
        cells = {at: cell for at, cell in row.cells.items() if at in wanted}
        if cells:
            notes = [(at, note) for at, note in row.notes if at in wanted]
            found.append(SheetRow(row.number, cells, row.spanned, row.names, row.bold, notes))
    return found


def _bands(rows: Sequence[SheetRow]) -> Iterator[list[SheetRow]]:
    """Rows that follow each other without a blank one between."""
    band: list[SheetRow] = []
    for row in rows:
        if band and row.number > band[-1].number + 1:
            yield band
            band = []
        band.append(row)
    if band:
        yield band


def _region(rows: Sequence[SheetRow]) -> Region:
    columns = sorted({column for row in rows for column in row.cells})
    dense: list[Row] = []
    for row in rows:
        if dense and row.number > dense[-1].number + 1:
            dense.append(Row(dense[-1].number + 1, ()))
        cells = [row.cells.get(column) for column in columns]
        dense.append(
            Row(
                row.number,
                [cell.text if cell else "" for cell in cells],
                [cell.value if cell else None for cell in cells],
                row.spanned,
                row.names,
                row.bold,
                tuple(note for _, note in row.notes),
            )
        )
    return Region(columns[0], dense)
