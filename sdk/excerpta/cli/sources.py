"""`excerpta sources`: the files that documents were read from."""

from __future__ import annotations

from typing import Any

import rich_click as click
from rich.markup import escape
from rich.table import Table

from .console import COLLECTION, connect, explained, out, print_json, server_options

_LABELS = {"reading": "in part", "read": "read", "partial": "in part", "failed": "not read"}


@click.command()
@COLLECTION
@click.option("--prefix", default="", help="Only names that begin so.")
@click.option("--delete", "deleted", metavar="NAME", help="Delete this source with its documents.")
@server_options
@explained
def sources(collection: str, prefix: str, deleted: str | None, as_json: bool, **server: Any) -> None:
    """List the files that a collection's documents were read from, or delete one."""
    with connect(**server) as client:
        target = client.collections.get(collection)
        if deleted is not None:
            reply = target.delete_source(deleted)
            print_json(reply) if as_json else out.print(f"{reply.deleted} documents deleted")
            return
        found = target.sources(prefix=prefix)
    if as_json:
        print_json(found)
        return
    table = Table("source", "state", "documents", "bytes", "read", box=None, padding=(0, 1))
    for one in found:
        table.add_row(
            escape(one.name), one.state, f"{one.documents:,}", f"{one.bytes:,}", one.updated_at[:19]
        )
    out.print(table if found else "no sources")
    for one in found:
        for error in one.errors:
            label = _LABELS[one.state]
            out.print(
                f"  [yellow]{label}[/yellow] {escape(error.name)}: {escape(error.reason)}", soft_wrap=True
            )
