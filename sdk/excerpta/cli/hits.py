"""Answers and lists of hits on the command line: options about the list, and how both are printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from excerpta import Hit, QueryReply

from .console import UNSUPPORTED, out, print_timings, print_warnings

F = TypeVar("F", bound=Callable[..., Any])
NO_GROUPS = "none"
_LONGEST = 200  # characters of a passage that a table shows


def listing_options(command: F) -> F:
    """Adds `--min-score`, `--group-by`, `--facet` and `--highlight`."""
    options = [
        click.option("--min-score", type=float, help="Leave out passages with a lower score."),
        click.option(
            "--group-by",
            metavar="FIELD",
            help=f"One hit for each text, document or value of a metadata field; {NO_GROUPS}: all hits.",
        ),
        click.option(
            "--facet", "facets", multiple=True, metavar="FIELD", help="Count documents by a metadata field."
        ),
        click.option("--highlight", is_flag=True, help="Mark the words that match the question."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def listing_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options about the list as the client takes them, taken out of a command's options.

    >>> listing_of({"min_score": 0.5, "group_by": "none", "facets": (), "highlight": False, "url": None})
    {'min_score': 0.5, 'facets': [], 'highlight': False, 'group_by': None}
    """
    listing = {name: options.pop(name) for name in ("min_score", "facets", "highlight")}
    listing["facets"] = list(listing["facets"])
    if (by := options.pop("group_by")) is not None:
        listing["group_by"] = None if by == NO_GROUPS else by
    return listing


def print_answer(reply: QueryReply) -> None:
    """The answer, its citations, the passages, and how long each stage took."""
    if reply.answer is not None:
        supported = reply.answer.supported
        title, style = ("answer", "green") if supported else (f"answer: {UNSUPPORTED}", "yellow")
        out.print(Panel(escape(reply.answer.text), title=title, border_style=style))
        if reply.answer.citations:
            table = Table("", "document", "characters", "quote", box=None, padding=(0, 1))
            for citation in reply.answer.citations:
                table.add_row(
                    f"\\[{citation.marker}]",
                    escape(citation.document_id),
                    f"{citation.start}-{citation.end}",
                    escape(" ".join(citation.quote.split())[:160]),
                )
            out.print(table)
    else:
        print_hits(reply)
    print_warnings(reply.warnings)
    print_timings(reply)


def print_hits(reply: QueryReply, *, first: int = 1) -> None:
    """One row a hit, numbered from `first`: its score, how many more passages it stands for. Then facets."""
    table = Table("", "passage", "score", "title", "text", box=None, padding=(0, 1))
    for rank, hit in enumerate(reply.hits, first):
        title = " > ".join(part for part in (hit.title, hit.heading) if part)
        others = f" and {hit.group.others} more" if hit.group else ""
        table.add_row(
            str(rank), escape(hit.passage_id) + others, f"{hit.score:.3f}", escape(title), _marked(hit)
        )
    out.print(table if reply.hits else "nothing found")
    for field, facet in (reply.facets or {}).items():
        values = ", ".join(f"{one.value} ({one.count})" for one in facet.values)
        rest = facet.distinct - len(facet.values)
        more = f", and {rest} more values" if rest else ""
        out.print(f"[bold]{escape(field)}[/bold]: {escape(values)}{more}")


def _marked(hit: Hit) -> Text:
    """The text's beginning, or that at the first matched word, with matched words in bold."""
    highlights = hit.highlights or []
    first = highlights[0].at[0] if highlights else 0
    begin = first if first > _LONGEST // 2 else 0
    plain = re.sub(r"\s", " ", hit.text)  # as many characters, on one line
    text = Text(plain[begin : begin + _LONGEST])
    for one in highlights:
        text.stylize("bold", one.at[0] - begin, one.at[1] - begin)
    return text
