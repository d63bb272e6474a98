"""How much is read of the sample files that document libraries ship in their source distributions.

Cases are a distribution's files by extension. Each file goes through a child process with limits, as the
service reads it. `recall` is the share of the words of the library's own expected text that were read,
`precision` the share of the words read that are in it, `cells` the share of its tables' cells that were read
in their row and column; each over the files that come with an expected text. `cpu_s` has the start of one
process. Files that cannot be read are listed with the reason, as are those of which only a part was read.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reading.distributions import DISTRIBUTIONS, Distribution, NotAvailable, fetch
from benchmarks.reading.measures import Share
from benchmarks.reading.read_samples import Reading, read
from benchmarks.reading.samples import Sample, samples_of
from benchmarks.report import Report

CACHE = Path(tempfile.gettempdir()) / "excerpta-sdists"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps what is downloaded (%(default)s)")
    parser.add_argument("--files", type=int, metavar="N", help="N files of each distribution; default: all")
    parser.add_argument("--show", action="store_true", help="a line for each file")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds what was read of each distribution's samples, by extension."""
    names = options.cases.split(",") if options.cases else [one.name for one in DISTRIBUTIONS]
    for distribution in (one for one in DISTRIBUTIONS if one.name in names):
        try:
            archive = fetch(distribution, options.cache)
        except NotAvailable as error:
            report.note(distribution.name, "all", str(error))
            continue
        with tempfile.TemporaryDirectory() as folder:
            samples = samples_of(distribution, archive, Path(folder), most=options.files)
            for extension in sorted({sample.extension for sample in samples}):
                of_kind = [sample for sample in samples if sample.extension == extension]
                _add(report, distribution, extension, of_kind, show=options.show)


def _add(
    report: Report, distribution: Distribution, extension: str, samples: Sequence[Sample], *, show: bool
) -> None:
    data = f"{distribution.name} {distribution.version}"
    readings, seconds = read(samples)
    counts = {
        "files": len(readings),
        "read": sum(one.whole for one in readings),
        "in_part": sum(one.in_part for one in readings),
        "unreadable": sum(one.unreadable for one in readings),
    }
    for metric, count in counts.items():
        report.add(data, extension, metric, count, "files")
    report.add(data, extension, "cpu_s", seconds, "s")
    for metric in ("recall", "precision", "cells"):
        share = sum((getattr(one, metric) for one in readings), Share())
        if share.of:
            report.add(data, extension, metric, share.value)
    for one in readings:
        if show:
            print(_line(one))
    for problem, names in _by_problem(readings).items():
        report.note(data, f"{extension}: {problem}", ", ".join(names))


def _by_problem(readings: Sequence[Reading]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in readings:
        if one.problem:
            found.setdefault(one.problem, []).append(one.sample.name)
    return found


def _line(reading: Reading) -> str:
    shares = " ".join(
        f"{metric} {share.value:.3f} of {share.of}"
        for metric in ("recall", "precision", "cells")
        if (share := getattr(reading, metric)).of
    )
    return f"{reading.sample.name}  {reading.characters} characters  {shares}".rstrip()
