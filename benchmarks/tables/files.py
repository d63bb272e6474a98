"""Writes tables as files of the kind that their names say."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from openpyxl import Workbook

from benchmarks.tables.pdf import pdf
from benchmarks.tables.table import Table


def write(table: Table, folder: Path) -> None:
    """Writes the table's file into a folder."""
    kind = "parts" if table.file == "parts.csv" else table.file.rsplit(".")[-1]
    (folder / table.file).write_bytes(_KINDS[kind](table))


def _cells(table: Table) -> list[list[str]]:
    return [[row[column] for column in table.columns] for row in table.rows]


def _separated(table: Table, delimiter: str) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows([table.columns, *_cells(table)])
    return written.getvalue().encode()


def _markdown(table: Table) -> bytes:
    lines = [table.columns, ["---"] * len(table.columns), *_cells(table)]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# {table.title}\n\n{rows}\n".encode()


def _page(table: Table) -> bytes:
    """Equal cells of the first column that follow one another are one cell over several rows."""
    body: list[str] = []
    for first, rows in groupby(_cells(table), key=lambda row: row[0]):
        for at, row in enumerate(group := list(rows)):
            span = [f'<td rowspan="{len(group)}">{html.escape(first)}</td>'] if not at else []
            body.append(_html_row([*span, *(f"<td>{html.escape(cell)}</td>" for cell in row[1:])]))
    head = _html_row([f"<th>{html.escape(column)}</th>" for column in table.columns])
    title = html.escape(table.title)
    return (
        f"<!doctype html><meta charset=utf-8><title>{title}</title>\n<main><h1>{title}</h1>\n"
        f"<table>\n<thead>{head}</thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table></main>\n"
    ).encode()


def _html_row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _workbook(table: Table) -> bytes:
    """One sheet; what is a whole number is stored as one, as spreadsheets do."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.title)
    sheet.append(list(table.columns))
    for row in _cells(table):
        sheet.append([int(cell) if cell.isdecimal() and str(int(cell)) == cell else cell for cell in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


_KINDS: dict[str, Callable[[Table], bytes]] = {
    "parts": lambda table: _separated(table, ";"),
    "csv": lambda table: _separated(table, ","),
    "tsv": lambda table: _separated(table, "\t"),
    "xlsx": _workbook,
    "md": _markdown,
    "html": _page,
    "pdf": lambda table: pdf(table.title, table.columns, _cells(table)),
}
