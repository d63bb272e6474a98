"""Output of the commands: tables for people, JSON for programs, one line for an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import msgspec
import rich_click as click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from excerpta import Client, ExcerptaError, QueryReply

F = TypeVar("F", bound=Callable[..., Any])
UNSUPPORTED = "no passage supports it"
"""What is printed beside an answer without a citation."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
COLLECTION = click.option("-c", "--collection", required=True, envvar="EXCERPTA_COLLECTION", help="Its name.")


def server_options(command: F) -> F:
    """Adds `--url`, `--data`, `--profile`, `--api-key` and `--json`: where the server is and how to print."""
    options = [
        click.option("--url", envvar="EXCERPTA_URL", help="The server. Default: http://127.0.0.1:8000"),
        click.option("--api-key", envvar="EXCERPTA_API_KEY", help="Key of the server, if it wants one."),
        click.option(
            "--data",
            envvar="EXCERPTA_LOCAL",
            type=click.Path(file_okay=False),
            help="Use no server: work in this process on this data directory.",
        ),
        click.option("--profile", envvar="EXCERPTA_PROFILE", help="With --data: the models to use."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON, one object, nothing else."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def explained(command: F) -> F:
    """Turns an error that has a remedy into one line on standard error and exit status 1."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (ExcerptaError, FileNotFoundError, NotADirectoryError) as error:
            err.print(f"[red]error:[/red] {escape(str(error))}")
            sys.exit(1)

    return run  # type: ignore[return-value]


@contextmanager
def connect(url: str | None, api_key: str | None, data: str | None, profile: str | None) -> Iterator[Client]:
    """A client of the server at `url`, or of one in this process over `data`."""
    if url and data:
        raise click.UsageError("--url and --data exclude each other: name one.")
    client = Client.local(data, profile=profile) if data else Client(url, api_key=api_key, timeout=600)
    with client:
        yield client


def print_json(value: object) -> None:
    """Any struct, list or dict as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def print_warnings(warnings: Sequence[str]) -> None:
    """One line each."""
    for warning in warnings:
        out.print(f"[yellow]{escape(warning)}[/yellow]")


def print_timings(reply: QueryReply) -> None:
    """One row of milliseconds, a column a stage."""
    table = Table(*reply.timings_ms, box=None, padding=(0, 1), title="milliseconds", title_justify="left")
    table.add_row(*(f"{value:,.1f}" for value in reply.timings_ms.values()))
    out.print(table, style="dim")
