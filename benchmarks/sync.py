"""What keeping a collection equal to a folder costs, beside the folder's first indexing.

The files are of Python's language reference, about 60 words each: Markdown, text, HTML and CSV. CPU time is
that of this process with the server in it, and of the processes that read files for it, until all of them are
idle.
"""

from __future__ import annotations

import argparse
import csv
import html
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from excerpta import Client
from excerpta.cli.demo import python_reference

from benchmarks.report import Report

_WORDS_A_FILE = 60
_ROWS_A_TABLE = 5
_KINDS = ("md", "md", "txt", "html", "csv")
_QUIET_S, _IDLE_CPU_S = 0.5, 0.01


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used again")
    parser.add_argument("--files", type=int, default=1000, help="files in the folder (%(default)s)")
    parser.add_argument("--differ", type=int, default=10, help="files that differ each time (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each case is run (%(default)s)")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds the CPU seconds of each case, the median of its rounds, and their share of the first."""
    name = f"{options.files} files, {options.differ} differ"
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        home = Path(temporary) / "data"
        home.mkdir()
        if options.models:
            (home / "models").symlink_to((options.models / "models").resolve())
        folder = Folder(Path(temporary) / "folder", options.files, random.Random(options.seed))
        changes: dict[str, Callable[[int], None]] = {
            "unchanged": lambda _: None,
            "changed": folder.change,
            "removed": folder.remove,
            "added": folder.add,
        }
        with Client.local(home) as client:
            client.collections.create("other").add([{"id": "one", "text": "Loads the models."}])
            collection = client.collections.create("folder")
            first = _cpu_s(lambda: collection.sync(folder.path))
            report.add(name, "first", "cpu_s", first, "s")
            for case in options.cases.split(",") if options.cases else changes:
                taken = []
                for _ in range(options.rounds):
                    changes[case](options.differ)
                    taken.append(_cpu_s(lambda: collection.sync(folder.path)))
                report.add(name, case, "cpu_s", statistics.median(taken), "s")
                report.add(name, case, "percent_of_first", 100 * statistics.median(taken) / first, "%")
            _check(folder, [source.name for source in collection.sources()])


class Folder:
    """Small files of several formats, and their changes."""

    def __init__(self, path: Path, files: int, chance: random.Random) -> None:
        self.path = path
        self._chance = chance
        self._texts = _texts()
        self._next = 0
        path.mkdir()
        self.add(files)

    def names(self) -> list[str]:
        """The files that are there, by name."""
        return sorted(file.name for file in self.path.iterdir())

    def add(self, count: int) -> None:
        """Adds new files."""
        for _ in range(count):
            kind = _KINDS[self._next % len(_KINDS)]
            self._write(f"{self._next:05}.{kind}")
            self._next += 1

    def change(self, count: int) -> None:
        """Gives files another text."""
        for name in self._chance.sample(self.names(), count):
            self._write(name)

    def remove(self, count: int) -> None:
        """Deletes files."""
        for name in self._chance.sample(self.names(), count):
            (self.path / name).unlink()

    def _write(self, name: str) -> None:
        title, text = self._chance.choice(self._texts)
        form = _FORMS[name.rsplit(".")[-1]]
        (self.path / name).write_text(form(f"{title}, {self._chance.randrange(10**6)}", text), "utf-8")


def _markdown(title: str, text: str) -> str:
    return f"# {title}\n\n{text}\n"


def _plain(title: str, text: str) -> str:
    return f"{title}\n\n{text}\n"


def _page(title: str, text: str) -> str:
    paragraphs = "".join(f"<p>{html.escape(one)}</p>\n" for one in text.split("\n\n"))
    return f"<!doctype html><title>{html.escape(title)}</title>\n<main>\n{paragraphs}</main>\n"


def _table(title: str, text: str) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("id", "title", "text"))
    words = text.split()
    of_a_row = -(-len(words) // _ROWS_A_TABLE)
    for number, start in enumerate(range(0, len(words), of_a_row), 1):
        rows.writerow((number, title, " ".join(words[start : start + of_a_row])))
    return written.getvalue()


_FORMS = {"md": _markdown, "txt": _plain, "html": _page, "csv": _table}


def _texts() -> list[tuple[str, str]]:
    """Titles and texts of whole paragraphs, each of at least so many words."""
    found = []
    for document in python_reference():
        paragraphs: list[str] = []
        for paragraph in (document.text or "").split("\n\n"):
            paragraphs.append(paragraph)
            if sum(len(one.split()) for one in paragraphs) >= _WORDS_A_FILE:
                found.append((document.title or document.id, "\n\n".join(paragraphs)))
                paragraphs = []
    return found


def _check(folder: Folder, sources: list[str]) -> None:
    if sorted(sources) != folder.names():
        raise RuntimeError("the collection does not have the files of the folder")


def _cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of the work, with what it leaves to other threads and processes."""
    begun = _cpu_now()
    work()
    before, now = begun, _cpu_now()
    while now - before > _IDLE_CPU_S:
        time.sleep(_QUIET_S)
        before, now = now, _cpu_now()
    return now - begun


def _cpu_now() -> float:
    """CPU seconds so far, those of ended children among them."""
    process = psutil.Process()
    own = process.cpu_times()
    running = [child.cpu_times() for child in process.children(recursive=True)]
    return (
        own.user
        + own.system
        + own.children_user
        + own.children_system
        + sum(child.user + child.system for child in running)
    )
