"""`excerpta export` and `excerpta import`: a collection from one data directory to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.commands.on_data import add_data, run_on_data
from api.errors import CollectionExists
from api.settings import Settings
from base.errors import ExcerptaError

_SHOWN = {
    "documents": ("documents", "{done:,} of {total:,}"),
    "bytes": ("files", "{mb:,.1f} of {mbs:,.1f} MB"),
    "trying": ("trying the indexes", ""),
}


def export_main(argv: Sequence[str] | None = None) -> int:
    """Writes an archive; returns the exit status."""
    options = _export_parser().parse_args(argv)
    from api.archive.export import export

    def work(settings: Settings) -> str:
        with _bars() as progress:
            done = export(settings, options.collection, options.file, progress)
        return (
            f"{options.file}: {done.collection}@{done.version}, {done.documents:,} documents, "
            f"{done.passages:,} passages, {done.segments} segments, {done.bytes / 1e6:,.1f} MB"
        )

    return run_on_data(options, work)


def import_main(argv: Sequence[str] | None = None) -> int:
    """Imports an archive; returns the exit status."""
    options = _import_parser().parse_args(argv)
    from api.archive.restore import bring_in

    def work(settings: Settings) -> str:
        try:
            with _bars() as progress:
                done = bring_in(settings, options.file, options.name, progress)
        except CollectionExists as error:
            raise ExcerptaError(f"{error} `--name OTHER` brings the archive in beside it.") from None
        return (
            f"{done.collection}@{done.version}: {done.documents:,} documents, {done.passages:,} passages, "
            f"{done.segments} segments; every service over {settings.data_dir} has it now"
        )

    return run_on_data(options, work)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """One progress bar for each step, on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bars:

        def show(what: str, done: int, total: int) -> None:
            name, told = _SHOWN[what]
            if what not in tasks:
                tasks[what] = bars.add_task(name, told="")
            text = told.format(done=done, total=total, mb=done / 1e6, mbs=total / 1e6)
            bars.update(tasks[what], completed=done, total=total, told=text)

        yield show


def _export_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta export",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Writes a collection into one file, for `excerpta import` on another machine.

The file is a plain tar archive of one version of the collection: its documents, its indexes, and a
checksum of everything. Nothing is encoded again at the import, and every search finds the same passages
with the same scores.

The command works on the data directory, beside a running service, which continues to answer and index.
If a change is between the index and the database, it waits up to 30 seconds. An existing file is
replaced once the new one is complete. Jobs, prompts, API keys, cached prefixes and models are not
exported.""",
        epilog="""\
examples:
  excerpta export handbook handbook.tar                 the service's data is in ./data
  excerpta export handbook /mnt/h.tar --data /srv/x     it is elsewhere
  EXCERPTA_DATABASE_URL=postgresql+asyncpg://... excerpta export handbook handbook.tar""",
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the name of the collection")
    parser.add_argument("file", metavar="FILE", type=Path, help="where to write it")
    add_data(parser)
    return parser


def _import_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta import",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Makes a collection of a file that `excerpta export` wrote.

The collection appears in one step, with its documents, in every service over the same data directory.
No service has to be restarted. A failed import leaves nothing behind: services remove the files of a
killed import.

Searching compares a question's vectors with those in the file, so the profile must be the one that the
collection was indexed with. If they differ, the import is refused and both are named.

Archives are treated as untrusted input. Sizes are checked before anything is written, every byte against
its checksum, and documents against passages. A child process, with limits on memory and time, opens and
searches the indexes first, because a FAISS file can be made to crash its reader. The child process is not
a security sandbox: do not import from people whose programs you would not run.""",
        epilog="""\
examples:
  excerpta import handbook.tar                          into ./data, under its own name
  excerpta import handbook.tar --name handbook-2026     beside another handbook
  excerpta import handbook.tar --data /srv/x --profile ./mine.toml""",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="what `excerpta export` wrote")
    parser.add_argument("--name", help="call the collection this, instead of what it was called")
    add_data(parser)
    parser.add_argument(
        "--profile", help="the service's models: a name, or a .toml file (EXCERPTA_PROFILE, small)"
    )
    parser.add_argument(
        "--device", help="auto, cpu, cuda, cuda:N or mps, as the service has it (EXCERPTA_DEVICE)"
    )
    return parser


if __name__ == "__main__":
    command = {"export": export_main, "import": import_main}[sys.argv[1]]
    sys.exit(command(sys.argv[2:]))
