"""The process that reads files is kept for the next job of its collection, for a while."""

import contextlib
import time

import pytest

from api.jobs.readers import Readers
from retrieval.corpus import DEFAULT_LIMITS

pytestmark = pytest.mark.process


@pytest.fixture
def readers():
    with contextlib.closing(Readers(DEFAULT_LIMITS)) as readers:
        yield readers


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Some text.\n")
    return path


def read(readers, collection, file, *, until=None):
    """The process that read the file in a job, and whether it still runs."""
    with contextlib.closing(readers(collection, lambda: None, lambda number, count: None)) as reader:
        found = reader("a.txt", file)
        text = next(found).text
        if until != "first":
            list(found)
        child = reader._reader._child
        found.close()
    assert text.strip() == "Some text."
    return child


def test_the_next_job_of_a_collection_is_read_by_the_same_process(readers, file):
    assert read(readers, "one", file) is read(readers, "one", file)


def test_no_process_reads_files_of_two_collections(readers, file):
    assert read(readers, "one", file) is not read(readers, "two", file)


def test_a_process_that_a_file_was_not_read_to_its_end_by_is_not_kept(readers, file):
    first = read(readers, "one", file, until="first")
    assert first.poll() is not None
    assert read(readers, "one", file) is not first


def test_a_process_that_died_while_it_waited_is_replaced(readers, file):
    first = read(readers, "one", file)
    first.kill()
    first.wait()
    assert read(readers, "one", file).poll() is None


def test_a_process_ends_after_some_time_without_a_job(file):
    with contextlib.closing(Readers(DEFAULT_LIMITS, keep_s=0.1)) as readers:
        child = read(readers, "one", file)
        deadline = time.monotonic() + 10
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert child.returncode is not None


def test_closing_ends_the_processes_that_wait_and_keeps_no_others(file):
    readers = Readers(DEFAULT_LIMITS)
    waiting = read(readers, "one", file)
    running = readers("two", lambda: None, lambda number, count: None)
    assert len(list(running("a.txt", file))) == 1
    child = running._reader._child
    readers.close()
    assert waiting.poll() is not None
    running.close()
    assert child.poll() is not None
