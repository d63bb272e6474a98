"""`excerpta index`: sends files and folders, or keeps a folder in step with a collection."""

from __future__ import annotations

from typing import Any

import rich_click as click

from excerpta import Collection
from excerpta.types import CollectionSettings

from .console import (
    COLLECTION,
    connect,
    err,
    explained,
    print_job,
    print_json,
    print_skipped,
    print_sync,
    server_options,
)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@COLLECTION
@click.option("--passage-tokens", type=int, help="For a new collection: the most tokens a passage has.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Watch the job until it ends.")
@click.option("--sync", is_flag=True, help="Make the collection agree with a folder.")
@click.option("--watch", is_flag=True, help="With --sync: go on until Ctrl-C, and follow every change.")
@click.option("--dry-run", is_flag=True, help="With --sync: show the difference; change nothing.")
@click.option("--prefix", help="With --sync: names begin so. Default: the folder's name.")
@click.option("--delete/--no-delete", default=True, help="With --sync: delete sources whose files are gone.")
@click.option("--force", is_flag=True, help="With --sync: also where the folder has no files at all.")
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
    as_json: bool,
    **server: Any,
) -> None:
    """Index files and folders: every kind of file that the server reads.

    The collection is made if it is not there. A file indexed before is replaced with all that was read from
    it. With --no-wait the job goes on at the server: `excerpta jobs` shows it.

    With --sync a FOLDER is compared with the collection first: only changed files are sent, and files that
    are gone from the folder are deleted from the collection. `excerpta sources` lists what is there.
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
            print_json(report) if as_json else print_sync(report)
            return
        target = client.collections.create(collection, exist_ok=True, settings=settings)
        if watch:
            _watch(target, paths[0], options, as_json=as_json)
        elif sync:
            report = target.sync(paths[0], progress=not as_json, **options)
            print_json(report) if as_json else print_sync(report)
        else:
            _index(target, paths, wait=wait or bool(server["data"]), as_json=as_json)


def _index(target: Collection, paths: tuple[str, ...], *, wait: bool, as_json: bool) -> None:
    job = target.ingest(paths)
    if not as_json:
        print_skipped(job.skipped)
    state = job.wait(progress=not as_json) if wait else job.state
    print_json(state) if as_json else print_job(state)


def _watch(target: Collection, folder: str, options: dict[str, Any], *, as_json: bool) -> None:
    if not as_json:
        err.print("watching; Ctrl-C ends it")
    try:
        for report in target.watch(folder, **options):
            print_json(report) if as_json else print_sync(report)
    except KeyboardInterrupt:
        err.print("ended")
