"""The commands of `excerpta`."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any, NoReturn

import msgspec
import rich_click as click

from excerpta import ServerNotInstalled, __version__

from .console import (
    COLLECTION,
    UNSUPPORTED,
    connect,
    err,
    explained,
    out,
    print_json,
    print_timings,
    print_warnings,
    server_options,
)
from .demo import demo
from .hits import listing_of, listing_options, print_answer, print_hits
from .indexing import index
from .methods import method_options, methods, taken, with_methods
from .reports import print_job
from .sources import sources

FILTER = click.option("--filter", "filter_json", help='Metadata filter as JSON: \'{"year": {"$gte": 2024}}\'')
PLAN = click.option("--plan", default=None, help="fast, balanced, best, or a plan as JSON.")
LIMIT = click.option("-k", "--limit", default=10, show_default=True, help="Passages to return.")
EXPLAIN = click.option("--explain", is_flag=True, help="Also say why each passage is there.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="excerpta")
def group() -> None:
    """Answers questions from your own documents, with citations.

    A first session: `excerpta serve` in one terminal, then
    `excerpta index -c handbook ./handbook/` and `excerpta ask -c handbook "Who may approve travel?"`.
    With `--data DIR` every command works without a server.
    """


@group.command()
@click.argument("question")
@COLLECTION
@FILTER
@PLAN
@method_options
@LIMIT
@listing_options
@EXPLAIN
@click.option("--stream/--no-stream", default=True, help="Print the answer as it is written.")
@server_options
@explained
def ask(
    question: str,
    collection: str,
    filter_json: str | None,
    plan: str | None,
    limit: int,
    explain: bool,
    stream: bool,
    as_json: bool,
    **server: Any,
) -> None:
    """Ask a question. The answer cites the passages that support it, or is marked as unsupported."""
    options: dict[str, Any] = {
        "filter": _json(filter_json, "--filter"),
        "plan": with_methods(_plan(plan), taken(server)),
        "limit": limit,
        "explain": explain,
        **listing_of(server),
    }
    with connect(**server) as client:
        target = client.collections.get(collection)
        if as_json or not stream or not out.is_terminal:
            reply = target.ask(question, **options)
            print_json(reply) if as_json else print_answer(reply)
            return
        from excerpta.types import DeltaEvent

        with target.stream(question, **options) as answer:
            for event in answer:
                if isinstance(event, DeltaEvent):
                    out.print(event.text, end="", markup=False, soft_wrap=True)
        out.print()
        for citation in answer.citations:
            quote = " ".join(citation.quote.split())[:160]
            out.print(
                f"[{citation.marker}] {citation.document_id} {citation.start}-{citation.end}: {quote}",
                markup=False,
            )
        done = answer.done
        if done is not None and done.answer is not None and not done.answer.supported:
            out.print(f"[yellow]{UNSUPPORTED}[/yellow]")
        print_warnings(done.warnings if done is not None else [])


@group.command()
@click.argument("query")
@COLLECTION
@FILTER
@PLAN
@method_options
@LIMIT
@click.option("--offset", default=0, show_default=True, help="Passages to leave out: the next page.")
@listing_options
@EXPLAIN
@server_options
@explained
def search(
    query: str,
    collection: str,
    filter_json: str | None,
    plan: str | None,
    limit: int,
    offset: int,
    explain: bool,
    as_json: bool,
    **server: Any,
) -> None:
    """Find passages, without an answer."""
    options: dict[str, Any] = {
        "filter": _json(filter_json, "--filter"),
        "plan": with_methods(_plan(plan), taken(server)),
        "limit": limit,
        "offset": offset,
        "explain": explain,
        **listing_of(server),
    }
    with connect(**server) as client:
        reply = client.collections.get(collection).search(query, **options)
    if as_json:
        print_json(reply)
    else:
        print_hits(reply, first=offset + 1)
        print_timings(reply)


@group.command()
@click.argument("job_id", required=False)
@click.option("--watch", is_flag=True, help="Follow the job until it ends.")
@click.option("--cancel", is_flag=True, help="Stop the job; what it committed stays.")
@server_options
@explained
def jobs(job_id: str | None, watch: bool, cancel: bool, as_json: bool, **server: Any) -> None:
    """List jobs, or show, watch or cancel one."""
    with connect(**server) as client:
        if job_id is None:
            found = client.jobs.list()
        else:
            job = client.jobs.get(job_id)
            if cancel:
                job.cancel()
            elif watch:
                job.wait(progress=not as_json)
            found = [job.state]
    if as_json:
        print_json(found)
        return
    for state in found:
        print_job(state, lines=out, verbose=job_id is not None)
    if not found:
        out.print("no jobs")


@group.command()
@server_options
@explained
def models(as_json: bool, **server: Any) -> None:
    """List the profile's models with their source, size, fingerprint and licence."""
    from rich.table import Table

    with connect(**server) as client:
        reply = client.models()
    if as_json:
        print_json(reply)
        return
    table = Table("role", "model", "from", "MB", "fingerprint", "licence", title=f"profile {reply.profile}")
    for model in reply.models:
        there = model.source if model.available else f"[red]missing[/red] {model.source}"
        table.add_row(
            model.role, model.name, there, f"{model.bytes / 1e6:,.1f}", model.fingerprint[:12], model.licence
        )
    out.print(table)


@group.command()
@COLLECTION
@server_options
@explained
def verify(collection: str, as_json: bool, **server: Any) -> None:
    """Check every checksum of a collection; exit status 2 when something is wrong."""
    with connect(**server) as client:
        corrupt = client.collections.get(collection).verify()
    if as_json:
        print_json({"corrupt": corrupt})
    for one in corrupt if not as_json else []:
        err.print(one, markup=False)
    if not corrupt and not as_json:
        out.print(f"{collection}: every checksum holds")
    sys.exit(2 if corrupt else 0)


@group.command()
@COLLECTION
@server_options
@explained
def rebuild(collection: str, as_json: bool, **server: Any) -> None:
    """Build a collection's index again from its documents; queries go on meanwhile."""
    with connect(**server) as client:
        state = client.collections.get(collection).rebuild().wait(progress=not as_json)
    print_json(state) if as_json else print_job(state)


def _of_server(name: str, summary: str) -> click.Command:
    """A command of the server's distribution, which defines its options and help."""

    @click.command(
        name,
        help=summary,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
        add_help_option=False,
    )
    @click.argument("options", nargs=-1, type=click.UNPROCESSED)
    @explained
    def run(options: tuple[str, ...]) -> None:
        _on_server(name, options)

    return run


def _on_server(name: str, options: tuple[str, ...]) -> NoReturn:
    """Passes the command line to a command of the server's distribution."""
    found = [entry for entry in entry_points(group="excerpta.server") if entry.name == name]
    if not found:
        raise ServerNotInstalled
    sys.exit(found[0].load()(list(options)))


def _json(text: str | None, option: str) -> Any:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint=option) from error


def _plan(text: str | None) -> Any:
    return _json(text, "--plan") if text and text.lstrip().startswith("{") else text


for _name, _summary in {
    "serve": "Run the server. `excerpta serve --help` lists its options.",
    "calibrate": "Fit parallel reading to a language model. `excerpta calibrate --help` explains it.",
    "compact": "Merge a collection's segments at once. `excerpta compact --help` explains it.",
    "evaluate": "Measure how well plans rank judged documents. `excerpta evaluate --help` explains it.",
    "export": "Write a collection with its indexes into one file. `excerpta export --help` explains it.",
    "import": "Make a collection of an exported file. `excerpta import --help` explains it.",
}.items():
    group.add_command(_of_server(_name, _summary))
group.add_command(index)
group.add_command(sources)
group.add_command(methods)
group.add_command(demo)
