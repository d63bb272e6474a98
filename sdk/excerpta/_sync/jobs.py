# Written by sdk/tools/generate_sync.py from _async/jobs.py; change that file instead.

"""Jobs: long work on the server, and its progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from .._progress import ProgressBar
from .._retry import Deadline
from .._sleep import sleep
from ..errors import ConnectionFailed, JobFailed, TimedOut
from ..types import JobList, JobProgress, JobReply, SkippedFile
from .http import Http


class Job:
    """A job and its last known state. `skipped` are files that were not sent with its upload."""

    def __init__(self, http: Http, state: JobReply) -> None:
        self._http = http
        self.state = state
        self.skipped: Sequence[SkippedFile] = ()

    @property
    def id(self) -> str:
        """The job's name."""
        return self.state.id

    @property
    def progress(self) -> JobProgress:
        """How far it is, within a file as well, by its last known state."""
        return self.state.progress

    def refresh(self) -> JobReply:
        """Fetches the job's progress from the server."""
        self.state = self._http.call(JobReply, "GET", f"/v1/jobs/{self.id}", retry=True)
        return self.state

    def cancel(self) -> JobReply:
        """Cancels the job. Committed batches stay."""
        self.state = self._http.call(JobReply, "DELETE", f"/v1/jobs/{self.id}", retry=True)
        return self.state

    def watch(self) -> Iterator[JobReply]:
        """Every change of state until the job ends. A broken connection is opened again."""
        failures = 0
        while not self.state.finished:
            try:
                with self._http.events("GET", f"/v1/jobs/{self.id}/events") as events:
                    for event in events:
                        if event.event in ("progress", "done"):
                            failures = 0
                            self.state = msgspec.json.decode(event.data, type=JobReply)
                            yield self.state
                            if self.state.finished:
                                return
            except (ConnectionFailed, TimedOut):
                failures += 1
                if failures > 5:
                    raise
            sleep(min(5.0, 0.2 * 2**failures))
            yield self.refresh()

    def wait(self, *, progress: bool = False, timeout: float | None = None) -> JobReply:
        """Waits for the end. Raises TimedOut after `timeout` seconds; JobFailed where nothing was indexed.

        `progress` draws a bar. A job that has left out some of the files, or parts of them, is `partial`:
        `left_out` of what is returned has the reasons.
        """
        deadline = Deadline(timeout if timeout is not None else float("inf"))
        with ProgressBar(shown=progress) as bar:
            bar.update(self.state)
            for state in self.watch():
                bar.update(state)
                if deadline.left() <= 0 and not state.finished:
                    raise TimedOut(
                        f"job {self.id} is not done after {timeout:.0f} s; it goes on at the server"
                    )
        if self.state.state not in ("succeeded", "partial"):
            raise JobFailed(self.state)
        return self.state


class Jobs:
    """The server's jobs."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, job_id: str) -> Job:
        """One job by its id; NotFound when there is none."""
        return Job(self._http, self._http.call(JobReply, "GET", f"/v1/jobs/{job_id}", retry=True))

    def list(self) -> list[JobReply]:
        """The latest jobs, newest first."""
        return (self._http.call(JobList, "GET", "/v1/jobs", retry=True)).jobs
