"""A file that loops, fills the memory or crashes its parser ends the child that reads it, and nothing else."""

import os
import signal
import time
from dataclasses import replace

import pytest

from retrieval.corpus import DEFAULT_LIMITS, LoadLimits, load_file
from retrieval.corpus.file_reader import ReadHere, ReadInChild
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

pytestmark = pytest.mark.process

# What a hostile file would make a parser do, done by a loader that a name picks.
_HOSTILE = """
import os, sys, signal, time
from retrieval.corpus import file_reader
from retrieval.types import Document
def load_file(name, data, limits):
    yield Document("first", "text")
    if name == "loop":
        while True: pass
    if name == "sleep": time.sleep(600)
    if name == "memory": data = [bytes(1 << 20) for _ in range(1 << 20)]
    if name == "crash": os.kill(os.getpid(), signal.SIGSEGV)
    if name == "exit": os._exit(3)
    if name == "prints": os.write(1, b"x" * 100); print("noise")
    yield Document("last", "text")
file_reader.load_file = load_file
file_reader.main()
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("# Title\n\nSome text.\n")
    return path


@pytest.fixture
def hostile(monkeypatch):
    """A reader whose child has the loader above."""
    import subprocess

    popen = subprocess.Popen

    def start(command, **options):
        return popen([command[0], "-c", _HOSTILE, command[-1]], **options)

    monkeypatch.setattr(subprocess, "Popen", start)
    reader = ReadInChild(LoadLimits(max_seconds=1, max_memory_bytes=512 << 20))
    yield reader
    reader.close()


def read(reader, name, path):
    return [one.id if isinstance(one, Document) else one.reason for one in reader(name, path)]


def test_the_child_reads_as_this_process_does(tmp_path):
    reader = ReadInChild(DEFAULT_LIMITS)
    for name, data in {"a.md": b"# T\n\ntext", "b.csv": b"sku,price\nA,1\nB,2\n", "c.pdf": b"no"}.items():
        (tmp_path / name).write_bytes(data)
        inside = list(load_file(name, data))
        outside = list(reader(name, tmp_path / name))
        assert [str(one) for one in outside] == [str(one) for one in inside]
        assert [type(one) for one in outside] == [type(one) for one in inside]
    reader.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("loop", "takes more than 1 s"), ("crash", "status -11"), ("exit", "status 3"), ("sleep", "takes more")],
)
def test_a_hostile_file_is_named_and_the_next_is_read(hostile, file, name, reason):
    first, why = read(hostile, name, file)
    assert first == "first"
    assert reason in why
    assert read(hostile, "good", file) == ["first", "last"]


def test_a_file_that_takes_all_memory_ends_alone(hostile, file):
    first, why = read(hostile, "memory", file)
    assert (first, "damaged" in why or "memory" in why) == ("first", True)
    assert read(hostile, "good", file) == ["first", "last"]


def test_what_a_library_prints_does_not_come_between(hostile, file):
    assert read(hostile, "prints", file) == ["first", "last"]


def test_a_check_that_raises_ends_the_reading_at_once(hostile, file):
    stop = []

    def check():
        if stop:
            raise KeyError("cancelled")

    hostile._check = check
    reading = hostile("sleep", file)
    next(reading)
    stop.append(True)
    started = time.monotonic()
    with pytest.raises(KeyError):
        next(reading)
    assert time.monotonic() - started < 3
    assert hostile._child is None


def test_a_slow_consumer_does_not_count_as_a_slow_file(hostile, file):
    hostile._limits = replace(hostile._limits, max_seconds=0.25)
    for one in hostile("good", file):
        assert not isinstance(one, UnreadableDocument)
        time.sleep(1.2)


def test_a_child_that_was_killed_while_idle_is_replaced(file):
    reader = ReadInChild(DEFAULT_LIMITS)
    assert [one.title for one in reader("a.md", file)] == ["Title"]
    os.kill(reader._child.pid, signal.SIGKILL)
    reader._child.wait()
    assert [one.title for one in reader("a.md", file)] == ["Title"]
    reader.close()
    assert [one.title for one in ReadHere(DEFAULT_LIMITS)("a.md", file)] == ["Title"]
