"""What `excerpta index` says about each file, and its exit status, without a server."""

from contextlib import contextmanager
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import CliRunner
from excerpta import JobFailed, JobReply, NothingToSend, SyncReport
from excerpta._progress import ProgressBar
from excerpta.cli import commands, indexing
from excerpta.types import FileCounts, JobError, JobPlace, JobProgress, JobSource, SkippedFile


def told(name, *reasons):
    return [JobError(name=name, reason=reason) for reason in reasons]


def job(state, *sources, errors=(), error=None):
    counts = FileCounts(
        **{kind: sum(one.state == kind for one in sources) for kind in FileCounts().__struct_fields__}
    )
    return JobReply(
        id="job_1",
        collection="c",
        kind="files",
        state=state,
        done=sum(one.documents for one in sources),
        total=None,
        passages=7,
        errors=list(errors),
        error=error,
        created_at="",
        started_at=None,
        finished_at=None,
        sources=list(sources),
        counts=counts,
    )


READ = JobSource(name="a.md", state="read", documents=1)
GUESSED = JobSource(
    name="g.txt", state="read", documents=1, remarks=told("g.txt", "read as GB18030, a guess")
)
PARTIAL = JobSource(
    name="p.pdf", state="partial", documents=1, remarks=told("p.pdf", "pages 2, 4 have no text")
)
FAILED = JobSource(name="b.pdf", state="failed", documents=0, remarks=told("b.pdf", "is damaged"))
HIDDEN = SkippedFile(name=".git/", reason="is hidden")
SKIPPED = SkippedFile(name="m.xlsx", reason="is of a kind that is not read (.xlsx)")


@pytest.fixture
def run(monkeypatch):
    """Runs `excerpta index` where the job ends so; the exit status, and both outputs."""

    def run(ending, *options, skipped=()):
        def wait(**_):
            if ending.state == "failed":
                raise JobFailed(ending)

        def ingest(paths):
            if ending is None:
                raise NothingToSend(["F"], list(skipped))
            return SimpleNamespace(skipped=list(skipped), state=ending, wait=wait)

        target = SimpleNamespace(ingest=ingest, sync=lambda folder, **_: ending)
        client = SimpleNamespace(collections=SimpleNamespace(create=lambda *_, **__: target))

        @contextmanager
        def connect(**_):
            yield client

        monkeypatch.setattr(indexing, "connect", connect)
        done = CliRunner().invoke(commands.group, ["index", "-c", "c", "F", *options], env={"COLUMNS": "60"})
        return done.exit_code, done.stdout, done.stderr

    return run


def test_a_job_that_read_all_says_so_and_ends_with_0(run):
    status, out, errors = run(job("succeeded", READ, GUESSED), "--strict", skipped=[HIDDEN])
    assert status == 0
    assert "succeeded: 2 of 2 files read; 2/? documents, 7 passages in c" in out
    assert "read g.txt: read as GB18030, a guess" in errors
    assert "not sent .git/: is hidden" in errors
    assert "a.md" not in errors


def test_each_file_that_was_left_out_is_named_with_the_reason(run):
    status, out, errors = run(job("partial", READ, PARTIAL, FAILED), skipped=[SKIPPED])
    assert status == 0
    assert "2 of 4 files read, 1 in part, 2 left out;" in out
    assert "not sent m.xlsx: is of a kind that is not read (.xlsx)" in errors
    assert "not read b.pdf: is damaged" in errors
    assert "in part p.pdf: pages 2, 4 have no text" in errors


@pytest.mark.parametrize("state", ["partial", "succeeded"])
def test_strict_is_an_exit_status_of_its_own(run, state):
    skipped = [SKIPPED] if state == "succeeded" else []
    sources = [READ, FAILED] if state == "partial" else [READ]
    assert run(job(state, *sources), skipped=skipped)[0] == 0
    assert run(job(state, *sources), "--strict", skipped=skipped)[0] == 3


@pytest.mark.parametrize("as_json", [True, False])
def test_a_job_that_indexed_nothing_ends_with_1_and_the_reason(run, as_json):
    ending = job("failed", FAILED, error="nothing was indexed: b.pdf is damaged")
    status, out, errors = run(ending, *(["--json"] if as_json else []), skipped=[SKIPPED])
    assert status == 1
    assert "nothing was indexed: b.pdf is damaged" in out
    if as_json:
        assert errors == ""
        assert msgspec.json.decode(out)["skipped"] == [{"name": "m.xlsx", "reason": SKIPPED.reason}]


def test_a_folder_without_a_readable_file_ends_with_1_and_names_all(run):
    many = [SkippedFile(name=f"{at}.png", reason="is of a kind that is not read (.png)") for at in range(5)]
    status, _, errors = run(None, skipped=many)
    assert status == 1
    assert all(f"not sent {at}.png" in errors for at in range(5))
    assert "no readable file in F" in errors


def test_many_files_are_grouped_by_the_reason_and_listed_with_verbose(run):
    many = [SkippedFile(name=f"{at}.png", reason="is of a kind that is not read (.png)") for at in range(50)]
    _, _, errors = run(job("succeeded", READ), skipped=[SKIPPED, *many])
    assert "not sent 0.png, 1.png, 2.png and 47 more: is of a kind" in errors
    assert "not sent m.xlsx: " in errors
    assert len(errors.splitlines()) == 2
    _, _, errors = run(job("succeeded", READ), "--verbose", skipped=[SKIPPED, *many])
    assert sum("not sent" in line for line in errors.splitlines()) == 51
    assert "read a.md: 1 documents" in errors


def test_a_synchronised_folder_ends_as_a_job_does(run):
    report = SyncReport(
        folder="F", prefix="", sent=["b.pdf"], failed=told("b.pdf", "is damaged"), unchanged=3
    )
    report.state = "partial"
    status, out, errors = run(report, "--sync")
    assert (status, run(report, "--sync", "--strict")[0]) == (0, 3)
    assert "1 sent, 0 deleted, 3 unchanged, 1 left out" in out
    assert "not read b.pdf: is damaged" in errors
    report = SyncReport(
        folder="F", prefix="", state="failed", error="nothing in F was indexed: b.pdf is damaged"
    )
    status, _, errors = run(report, "--sync")
    assert status == 1
    assert "nothing in F was indexed" in errors


def test_what_was_left_out_of_a_job_is_one_list():
    ending = job("partial", READ, GUESSED, PARTIAL, FAILED, errors=told("b.pdf", "is damaged"))
    assert ending.left_out == [*PARTIAL.remarks, *FAILED.remarks]
    assert ending.guessed == GUESSED.remarks
    assert ending.finished


def test_the_progress_of_one_large_file_is_shown_where_there_is_no_terminal(capsys):
    with ProgressBar(shown=True) as bar:
        for page in range(1, 101):
            state = job("running")
            place = JobPlace(file="long.pdf", unit="page", done=page, total=100)
            state.progress = JobProgress(fraction=page / 100, files_total=1, place=place)
            bar.update(state)
    lines = capsys.readouterr().err.splitlines()
    assert 15 < len(lines) < 25
    assert lines[10] == "c: running, 50%, 0/1 files, 7 passages, page 50 of 100 of long.pdf"
