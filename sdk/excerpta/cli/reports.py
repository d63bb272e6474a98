"""What became of files that were indexed: those left out with the reason, and how many were read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from rich.console import Console
from rich.markup import escape

from excerpta import JobReply, SyncReport
from excerpta.types import JobError, SkippedFile

from .._files import HIDDEN
from .console import err, out

_MOST_LINES = 20
_NAMED = 3
_Line: TypeAlias = tuple[str, str, str]  # what it is about a file, the file, the reason


def gaps(skipped: Sequence[SkippedFile]) -> int:
    """How many files that were not sent may be missed. Hidden ones are not meant to be read."""
    return sum(one.reason != HIDDEN for one in skipped)


def print_job(
    job: JobReply,
    *,
    skipped: Sequence[SkippedFile] = (),
    verbose: bool = False,
    lines: Console = err,
) -> None:
    """The summary of a job, after a line for each file that was left out or read in part, and why.

    With `verbose` there is a line for every file. `skipped` were not sent with its upload.
    """
    _print_lines([*_of_job(job, verbose)], verbose, lines)
    out.print(f"{job.id} {job.state}: {_summary(job, gaps(skipped))}", soft_wrap=True)
    if job.error is not None:
        out.print(f"  {escape(job.error)}", soft_wrap=True)


def print_skipped(skipped: Sequence[SkippedFile], *, verbose: bool = False) -> None:
    """The files that were not sent, with the reasons, on standard error."""
    _print_lines([("not sent", one.name, one.reason) for one in skipped], verbose, err)


def print_sync(report: SyncReport, *, verbose: bool = False) -> None:
    """The difference between a folder and its collection, and what was done about it."""
    print_skipped(report.skipped, verbose=verbose)
    lines = [*_told("not read", report.failed), *_told("in part", report.partial)]
    _print_lines([*lines, *_told("read", report.guessed)], verbose, err)
    if report.error is not None:
        err.print(f"[red]error:[/red] {escape(report.error)}", soft_wrap=True)
        return
    would = "would be " if report.dry_run else ""
    for verb, names in ((f"{would}sent", report.sent), (f"{would}deleted", report.removed)):
        for name in names if report.dry_run or verbose else ():
            out.print(f"  {verb} {escape(name)}", soft_wrap=True)
    left_out = len(report.failed) + gaps(report.skipped)
    prefix = f" as {escape(report.prefix)}/" if report.prefix else ""
    left = f", {left_out} left out" if left_out else ""
    counts = (
        f"{len(report.sent)} {would}sent, {len(report.removed)} {would}deleted, {report.unchanged} unchanged"
    )
    out.print(f"{escape(report.folder)}{prefix}: {counts}{left}", soft_wrap=True)


def _of_job(job: JobReply, verbose: bool) -> Iterator[_Line]:
    labels = {"failed": "not read", "partial": "in part", "unchanged": "unchanged", "read": "read"}
    shown = [one for one in job.sources if one.remarks or verbose]
    for state, label in labels.items():
        for one in (one for one in shown if one.state == state):
            yield label, one.name, one.told or f"{one.documents:,} documents"
    told = {(part.name, part.reason) for one in job.sources for part in one.remarks}
    files = {one.name for one in job.sources}
    for error in job.errors:
        if (error.name, error.reason) not in told and (verbose or not files or error.name in files):
            yield "not read", error.name, error.reason


def _told(label: str, parts: Sequence[JobError]) -> Iterator[_Line]:
    return ((label, one.name, one.reason) for one in parts)


def _summary(job: JobReply, skipped: int) -> str:
    counts = job.counts
    total = "?" if job.total is None else job.total
    documents = f"{job.done}/{total} documents, {job.passages} passages in {escape(job.collection)}"
    if not counts.done:
        return documents
    files = f"{counts.done - counts.failed} of {counts.done + skipped} files read"
    told = {"in part": counts.partial, "unchanged": counts.unchanged, "left out": counts.failed + skipped}
    return f"{files}{''.join(f', {count} {what}' for what, count in told.items() if count)}; {documents}"


def _print_lines(lines: Sequence[_Line], verbose: bool, console: Console) -> None:
    """One line each; where there are many, one for each reason with the first names."""
    if verbose or len(lines) <= _MOST_LINES:
        for label, name, reason in lines:
            console.print(f"  [yellow]{label}[/yellow] {escape(name)}: {escape(reason)}", soft_wrap=True)
        return
    by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
    for label, name, reason in lines:
        by_reason[label, reason].append(name)
    most_first = sorted(by_reason.items(), key=lambda one: -len(one[1]))
    for (label, reason), names in most_first[:_MOST_LINES]:
        some = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        console.print(f"  [yellow]{label}[/yellow] {escape(some)}: {escape(reason)}", soft_wrap=True)
    if rest := sum(len(names) for _, names in most_first[_MOST_LINES:]):
        console.print(f"  and {rest} more; --verbose names them")
