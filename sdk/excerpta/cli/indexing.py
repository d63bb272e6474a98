"""`excerpta index`: sends files and folders, or keeps a folder in step with a collection."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import rich_click as click

from excerpta import Collection, Job, JobFailed, NothingToSend
from excerpta.types import CollectionSettings, SkippedFile, SyncReport

from .console import COLLECTION, connect, err, explained, print_json, server_options
from .reports import gaps, print_job, print_skipped, print_sync

_INCOMPLETE = 3


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@COLLECTION
@click.option("--passage-tokens", type=int, help="For a new collection: the most tokens a passage has.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Watch the job until it ends.")
@click.option("--sync", is_flag=True, help="Make the collection agree with a folder.")
@click.option("--watch", is_flag=True, help="With --sync: go on until Ctrl-C, and follow every change.")
@click.option("--dry-run", is_flag=True, help="With --sync: show the difference; change nothing.")
@click.option("--prefix", help="With --sync: names begin so, and all that do are the folder's.")
@click.option("--delete/--no-delete", default=True, help="With --sync: delete sources whose files are gone.")
@click.option("--force", is_flag=True, help="With --sync: also where the folder has no files at all.")
@click.option("--verbose", is_flag=True, help="Name every file, not only those left out or read in part.")
@click.option("--strict", is_flag=True, help="Exit status 3 where a file was left out or read in part.")
@server_options
@explained
def index(
    paths: tuple[str, ...],
    collection: str,
    passage_tokens: int | None,
    wait: bool,
    sync: bool,
    watch: bool,
    dry_run: bool,
    prefix: str | None,
    delete: bool,
    force: bool,
    verbose: bool,
    strict: bool,
    as_json: bool,
    **server: Any,
) -> None:
    """Index files and folders: every kind of file that the server reads.

    The collection is made if it is not there. A file indexed before is replaced with all that was read from
    it. With --no-wait the job goes on at the server: `excerpta jobs` shows it.

    With --sync a FOLDER is compared with the collection first: only changed files are sent, and files that
    are gone from the folder are deleted from the collection. `excerpta sources` lists what is there. Names
    are paths below the folder; where another folder has the same ones, they begin with the folder's name.

    Files that are left out or read in part are named on standard error with the reason. The exit status is 0
    where something was indexed or is there already, 1 where nothing was, and with --strict 3 where a file
    that is not hidden was left out or read in part.
    """
    if not sync and (watch or dry_run or prefix is not None or force or not delete):
        raise click.UsageError(
            "--watch, --dry-run, --prefix, --force and --no-delete go with --sync: add it."
        )
    if watch and dry_run:
        raise click.UsageError("--watch and --dry-run exclude each other: name one.")
    if sync and len(paths) > 1:
        raise click.UsageError("--sync takes one FOLDER; run it once for each.")
    settings = CollectionSettings(passage_tokens=passage_tokens) if passage_tokens else None
    options: dict[str, Any] = {"prefix": prefix, "delete": delete, "force": force}
    with connect(**server) as client:
        if dry_run:
            report = client.collections.get(collection).sync(paths[0], dry_run=True, **options)
            _print_report(report, as_json=as_json, verbose=verbose)
            return
        target = client.collections.create(collection, exist_ok=True, settings=settings)
        if watch:
            _watch(target, paths[0], options, as_json=as_json, verbose=verbose)
            return
        if sync:
            report = target.sync(paths[0], progress=not as_json, **options)
            _print_report(report, as_json=as_json, verbose=verbose)
            _exit(report.state, report.skipped, strict=strict)
        else:
            wait = wait or bool(server["data"])
            job = _index(target, paths, wait=wait, as_json=as_json, verbose=verbose)
            _exit(job.state.state, job.skipped, strict=strict)


def _exit(state: str, skipped: Sequence[SkippedFile], *, strict: bool) -> None:
    """Ends with the status that says what became of the files; returns if that is 0."""
    if state in ("failed", "cancelled"):
        sys.exit(1)
    if strict and (state == "partial" or gaps(skipped)):
        sys.exit(_INCOMPLETE)


def _index(target: Collection, paths: tuple[str, ...], *, wait: bool, as_json: bool, verbose: bool) -> Job:
    """Sends the files as a job, and shows what became of them."""
    try:
        job = target.ingest(paths)
    except NothingToSend as nothing:
        if not as_json:
            print_skipped(nothing.skipped, verbose=verbose)
        raise
    if not as_json:
        print_skipped(job.skipped, verbose=verbose)
    if wait:
        with suppress(JobFailed):  # shown below
            job.wait(progress=not as_json)
    if as_json:
        print_json(msgspec.to_builtins(job.state) | {"skipped": job.skipped})
    else:
        print_job(job.state, skipped=job.skipped, verbose=verbose)
    return job


def _print_report(report: SyncReport, *, as_json: bool, verbose: bool) -> None:
    print_json(report) if as_json else print_sync(report, verbose=verbose)


def _watch(target: Collection, folder: str, options: dict[str, Any], *, as_json: bool, verbose: bool) -> None:
    if not as_json:
        err.print("watching; Ctrl-C ends it")
    try:
        for report in target.watch(folder, **options):
            _print_report(report, as_json=as_json, verbose=verbose)
    except KeyboardInterrupt:
        err.print("ended")
