"""How far a job is: it moves within one large file, never falls, and every process can see it."""

import asyncio
import contextlib
import signal
import time

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.jobs.batches import BatchLimits, Cursor, batches
from api.jobs.progress import Progress, shown
from api.jobs.uploads import Uploads
from api.jobs.wakeups import make_bell
from retrieval.corpus import DEFAULT_LIMITS
from retrieval.corpus.file_reader import ReadHere
from retrieval.types import Document, Mark


def told(progress, document, *characters, end=100):
    """The shares of the work after so many characters of a document are encoded."""
    progress.encode([document], {}, end)
    shares = []
    for done in characters:
        progress.encoded(done, len(document.text))
        shares.append(progress.fraction)
    return shares


def test_it_moves_within_one_document():
    progress = Progress()
    progress.begin(0, 100)
    shares = told(progress, Document("a.txt", "x" * 1000), 0, 250, 500, 1000)
    assert shares == sorted(set(shares))
    progress.indexed(1, 2)
    assert shares[-1] < progress.fraction < 1
    assert (progress.place.file, progress.place.unit, progress.place.done) == ("a.txt", "character", 500)
    progress.commit(100)
    assert 0.99 < progress.fraction < 1, "the job's end is what makes it whole"


def test_of_a_pdf_it_names_the_page():
    pages = tuple(Mark("page", number, 100 * (number - 1), 100 * number) for number in (1, 2, 3, 4))
    progress = Progress()
    progress.begin(0, 100)
    progress.open("b.pdf", 0, 100)
    progress.page(2, 4)
    read = progress.fraction
    assert 0 < read < 0.1
    assert (progress.place.unit, progress.place.done, progress.place.total) == ("page", 2, 4)
    assert told(progress, Document("b.pdf", "x" * 400, marks=pages), 250)[0] > read
    assert (progress.place.unit, progress.place.done, progress.place.total) == ("page", 3, 4)


steps = st.lists(
    st.tuples(st.sampled_from(["reached", "encoded", "indexed", "commit", "page"]), st.integers(0, 120)),
    max_size=40,
)


@given(steps)
def test_it_never_falls_and_never_says_all_before_the_end(steps):
    progress = Progress()
    progress.begin(0, 100)
    progress.open("a", 0, 100)
    progress.encode([Document("a", "x" * 120)], {}, 100)
    seen = [0.0]
    for name, value in steps:
        getattr(progress, name)(value, *([120] if name in ("encoded", "indexed", "page") else []))
        seen.append(progress.fraction)
    assert seen == sorted(seen)
    assert seen[-1] < 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"id,text\n" + b"".join(b"%d,some words\n" % row for row in range(30))),
        ("t.jsonl", b'{"text": "some words"}\n' * 30),
        ("a.txt", b"words " * 50),
    ],
)
def test_batches_know_where_in_the_upload_they_end(tmp_path, name, content):
    spool = Uploads(tmp_path / "spool", 10**6)
    with spool.writer() as writer:
        for one in ("x.txt", name, "z.txt"):
            writer.add(one, content)
        writer.keep("job")
    total = 3 * len(content)
    cut = BatchLimits(10, 10**6)
    progress = Progress()
    whole = batches(
        spool.files("job"),
        lines=False,
        start=Cursor(),
        cut=cut,
        reader=ReadHere(DEFAULT_LIMITS),
        progress=progress,
    )
    shares = []
    for one in whole:
        progress.commit(one.at)
        shares.append(one.at / total)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1
    if name != "a.txt":
        assert len([share for share in shares if 1 / 3 < share < 2 / 3]) >= 2


async def test_it_is_written_about_once_a_second_and_never_falls(database, queues):
    queue, bell = queues(), make_bell("", database)
    await queue.put("job", "one", "files", files=1, size=1000)
    claim = await queue.claim()
    writes = []
    show = queue.show

    async def counted(*given):
        writes.append(given)
        await show(*given)

    queue.show = counted
    progress = Progress()
    progress.begin(0, 1000)
    async with shown(queue, bell, claim, progress, every_s=0.02):
        for at in range(0, 900, 3):
            progress.commit(at)
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.05)
        assert await _fraction(database) == pytest.approx(0.897)
    assert 2 < len(writes) < 30
    again = Progress()
    again.begin(100, 1000)
    async with shown(queue, bell, claim, again, every_s=0.001):
        await asyncio.sleep(0.02)
    assert await _fraction(database) == pytest.approx(0.897), "a rerun begins where less was done"
    await queue.finish(claim, "succeeded", None)
    assert await _fraction(database) == 1


async def _fraction(database):
    from api.db import JobRow

    async with database.read() as session:
        return (await session.get(JobRow, "job")).progress


def large_text(megabytes):
    """English of so many megabytes, in which no paragraph comes twice."""
    paragraphs = (
        f"Paragraph {number} says that the harbour master of berth {number % 97} counts {number * 7} crates "
        f"before the tide of day {number % 31}, and notes them in book {number // 50}.\n\n"
        for number in range(megabytes * 6600)
    )
    return "".join(paragraphs).encode()


def watched(url, until):
    """The job's states as they are asked for, until one fits."""
    deadline = time.monotonic() + 300
    seen = []
    while time.monotonic() < deadline:
        state = httpx.get(f"{url}/v1/jobs").json()["jobs"][0]
        seen.append(state)
        if until(state):
            return seen
        time.sleep(0.1)
    raise AssertionError(seen[-1])


@pytest.mark.process
def test_one_large_file_moves_and_goes_on_after_a_kill(serve):
    process, url = serve()
    httpx.put(f"{url}/v1/collections/c", json={})
    text = large_text(1)
    with contextlib.closing(httpx.Client(timeout=60)) as client:
        client.post(f"{url}/v1/collections/c/files", files=[("files", ("large.txt", text))])
    before = watched(url, lambda state: state["progress"]["fraction"] > 0.3 or state["finished_at"])
    assert before[-1]["state"] == "running", before[-1]
    progress = before[-1]["progress"]
    assert (progress["files"], progress["files_total"], progress["bytes_total"]) == (0, 1, len(text))
    assert progress["place"]["file"] == "large.txt"
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, url = serve()
    after = watched(url, lambda state: state["finished_at"])
    fractions = [state["progress"]["fraction"] for state in (*before, *after)]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 4, fractions
    assert (after[-1]["state"], after[-1]["progress"]["fraction"]) == ("succeeded", 1.0)
    assert after[-1]["progress"]["files"] == 1
    assert msgspec.json.encode(after[-1]["counts"]) == b'{"read":1,"partial":0,"failed":0,"unchanged":0}'
