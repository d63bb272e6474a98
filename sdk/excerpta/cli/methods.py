"""Methods on the command line: an option a stage, and the list of all methods with their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
import rich_click as click
from rich.markup import escape
from rich.table import Table

from excerpta.types import MethodList, MethodReply
from excerpta.types.compress import CompressMethod
from excerpta.types.fuse import FuseMethod
from excerpta.types.methods import AUTO, MethodOptions
from excerpta.types.reading import ReadingMethod
from excerpta.types.rerank import RerankMethod
from excerpta.types.rewrite import RewriteMethod

from .console import connect, explained, out, print_json, server_options

F = TypeVar("F", bound=Callable[..., Any])
OFF = "off"
STAGES: dict[str, type[MethodOptions]] = {
    "rewrite": RewriteMethod,
    "fuse": FuseMethod,
    "rerank": RerankMethod,
    "compress": CompressMethod,
    "reading": ReadingMethod,
}
"""The stages of a plan that have methods, with the base of their options."""


def method_options(command: F) -> F:
    """Adds `--rerank METHOD` and its like, one option a stage; `off` switches the stage off."""
    for stage, base in reversed(STAGES.items()):
        off = [OFF] if stage in ("rewrite", "rerank", "compress") else []
        names = [AUTO, *(one.name() for one in base.__subclasses__()), *off]
        help_text = f"Method of this stage: {', '.join(names)}. `excerpta methods {stage}` explains them."
        command = click.option(f"--{stage}", type=click.Choice(names), metavar="METHOD", help=help_text)(
            command
        )
    return command


def taken(options: dict[str, Any]) -> dict[str, str | None]:
    """The chosen methods, taken out of a command's options."""
    return {stage: options.pop(stage) for stage in STAGES}


def with_methods(plan: Any, chosen: Mapping[str, str | None]) -> Any:
    """The plan with the methods chosen on the command line over it.

    >>> with_methods("fast", {"rerank": "first"})
    {'base': 'fast', 'rerank': {'method': 'first'}}
    >>> with_methods(None, {"rerank": None})
    """
    changes: dict[str, Any] = {
        stage: None if name == OFF else {"method": name} for stage, name in chosen.items() if name is not None
    }
    if not changes:
        return plan
    below = {"base": plan} if isinstance(plan, str) else dict(plan or {})
    if "reading" in changes:
        changes["context"] = {"reading": changes.pop("reading")}
    for stage, change in changes.items():
        old = below.get(stage)
        below[stage] = old | change if isinstance(old, dict) and change is not None else change
    return below


@click.command()
@click.argument("stage", required=False)
@server_options
@explained
def methods(stage: str | None, as_json: bool, **server: Any) -> None:
    """List the methods of every stage, or one stage with all options.

    A plan names a method and its options:
    `excerpta ask -c handbook --plan '{"rerank": {"method": "first", "window": 10}}' "Who may travel?"`
    """
    with connect(**server) as client:
        reply = client.methods()
    known = list(dict.fromkeys(one.stage for one in reply.methods))
    if stage is not None and stage not in known:
        raise click.BadParameter(f"there is no stage {stage!r}; choose one of {', '.join(known)}")
    shown = [one for one in reply.methods if stage in (None, one.stage)]
    if as_json:
        print_json(MethodList(methods=shown))
    elif stage is None:
        _print_all(shown)
    else:
        for one in shown:
            _print_one(one)


def _print_all(shown: list[MethodReply]) -> None:
    table = Table("stage", "method", "what it does", "missing here")
    for one in shown:
        name = f"[bold]{escape(one.name)}[/bold] (default)" if one.default else escape(one.name)
        table.add_row(one.stage, name, escape(one.summary), ", ".join(one.missing))
    out.print(table)


def _print_one(one: MethodReply) -> None:
    out.print(f"[bold]{escape(one.name)}[/bold]{' (default)' if one.default else ''}: {escape(one.summary)}")
    if one.paper:
        out.print(f"  {escape(one.paper)}", style="dim")
    if one.score_scale:
        out.print(f"  score: {escape(one.score_scale)}")
    if one.missing:
        out.print(f"  [red]missing here:[/red] {', '.join(one.missing)}")
    for name, schema in one.options["properties"].items():
        if "default" in schema:
            default = msgspec.json.encode(schema["default"]).decode()
            bounds = " to ".join(str(schema[key]) for key in ("minimum", "maximum") if key in schema)
            allowed = f", {bounds}" if bounds else ""
            text = f"  {name} = {default}{allowed}: {schema.get('description', '')}"
            out.print(text, markup=False)
