"""`excerpta demo`: indexes Python's language reference and asks it questions."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rich_click as click

from excerpta import Client, DocumentIn, ExcerptaError, QueryReply

from .console import explained, out
from .hits import print_answer

QUESTIONS = (
    "What does the lambda expression yield?",
    "What is None used for?",
    "What does str.strip return?",
)


def python_reference() -> list[DocumentIn]:
    """The Python language reference inside CPython, one document a topic.

    Its underlined headings become `#` headings, which passages keep as context.
    """
    from pydoc_data.topics import topics

    return [
        DocumentIn(
            id=f"python/{name}", title=_title(text) or name, text=_headings(text), metadata={"topic": name}
        )
        for name, text in sorted(topics.items())
        if text.strip()
    ]


_HEADING = re.compile(r"^(?P<title>\S.*)\n(?P<line>\*{3,}|={3,}|-{3,}|~{3,})$", re.MULTILINE)
_LEVEL = {"*": "#", "=": "##", "-": "###", "~": "####"}


def _headings(text: str) -> str:
    return _HEADING.sub(lambda found: f"{_LEVEL[found['line'][0]]} {found['title']}", text)


def _title(text: str) -> str:
    found = _HEADING.search(text)
    return found["title"].replace('"', "") if found else ""


@contextmanager
def temporary_server(data: Path) -> Iterator[str]:
    """A temporary server on a free local port, stopped at the end of the block; yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = data / "server.log"
    command = [sys.executable, "-m", "excerpta.cli", "serve", "--port", str(port), "--data", str(data)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ})
    url = f"http://127.0.0.1:{port}"
    try:
        with Client(url) as client, out.status("starting the server and its models"):
            while not client.ready():
                if process.poll() is not None:
                    raise ExcerptaError(f"the server ended at once:\n{log.read_text('utf-8')[-2000:]}")
                time.sleep(0.3)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


@click.command()
@click.option(
    "--keep", type=click.Path(file_okay=False), help="Keep the index here. Default: a temporary folder."
)
@click.argument("questions", nargs=-1)
@explained
def demo(keep: str | None, questions: tuple[str, ...]) -> None:
    """Index Python's language reference and ask it three questions, or yours.

    Starts a server for itself, indexes by a batch job, asks over HTTP with the full plan, and ends.
    """
    documents = python_reference()
    with tempfile.TemporaryDirectory(prefix="excerpta-demo-") as temporary:
        data = Path(keep) if keep else Path(temporary)
        data.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with temporary_server(data) as url, Client(url, timeout=600) as client:
            out.print(f"server ready at {url} after {time.monotonic() - began:.1f} s")
            python = client.collections.create("python", exist_ok=True)
            began = time.monotonic()
            job = python.ingest_documents(documents).wait(progress=True)
            seconds = time.monotonic() - began
            out.print(
                f"indexed {job.done} documents, {job.passages} passages in {seconds:.1f} s "
                f"({job.passages / seconds:.0f} passages a second)\n"
            )
            cited = [_ask(client, question) for question in questions or QUESTIONS]
    out.print(f"{sum(cited)} of {len(cited)} answers are cited; what no passage carries gets no mark")
    out.print("Keep a server running: `make serve`. Then, in another terminal:")
    out.print("  .venv/bin/excerpta index -c NAME FOLDER")
    out.print("  .venv/bin/excerpta ask -c NAME QUESTION")
    if not any(cited):
        raise ExcerptaError("no answer came with a citation; `excerpta models` shows what is loaded")


def _ask(client: Client, question: str) -> bool:
    out.rule(question, align="left")
    reply: QueryReply = client.collections.get("python").ask(question)
    print_answer(reply)
    out.print()
    return bool(reply.answer and reply.answer.citations)
