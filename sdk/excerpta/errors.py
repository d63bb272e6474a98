"""The errors of the client, one class per remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


class ExcerptaError(Exception):
    """Base of every error this package raises."""


class ConnectionFailed(ExcerptaError):
    """The server cannot be reached, or the connection broke before the reply was whole."""


class TimedOut(ExcerptaError):
    """No whole reply came within the client's timeout."""


class ServerNotInstalled(ExcerptaError):
    """`Client.local` and `excerpta serve` need the server's distribution beside this one."""

    def __init__(self) -> None:
        super().__init__("this needs the server as well: pip install 'excerpta-server[cpu]'")


class JobFailed(ExcerptaError):
    """A job has indexed nothing, or was cancelled; `job` holds its last state."""

    def __init__(self, job: Any) -> None:
        super().__init__(f"job {job.id} {job.state}: {job.error or 'no reason given'}")
        self.job = job


class NothingToSend(ExcerptaError, FileNotFoundError):
    """None of the files named is sent; `skipped` has each with the reason."""

    def __init__(self, paths: Sequence[str], skipped: Sequence[Any]) -> None:
        reasons = "".join(f"; {one.name} {one.reason}" for one in skipped[:3])
        more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        super().__init__(f"no readable file in {', '.join(paths) or 'nothing'}{reasons}{more}")
        self.skipped = skipped


class DeletesEverything(ExcerptaError):
    """A folder that is to be synchronised has no file to index, while the collection has `sources` of it."""

    def __init__(self, folder: str, sources: int) -> None:
        super().__init__(
            f"{folder} has no file that can be indexed; synchronising it would delete all {sources} sources "
            "of it. Where that is meant, use --force (force=True)."
        )
        self.folder = folder
        self.sources = sources


class ApiError(ExcerptaError):
    """The server answered with a problem (RFC 9457).

    `type` is the problem's registered name, `detail` says what to do, `facts` holds the other
    members, `status` the HTTP status.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.type = str(problem.get("type", "about:blank")).rsplit("/", 1)[-1]
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        known = ("type", "title", "status", "detail", "instance")
        self.facts = {name: value for name, value in problem.items() if name not in known}
        super().__init__(f"{status} {self.title}: {self.detail}")


class InvalidRequest(ApiError):
    """400, 405, 415, 422: the request itself must change."""


class Unauthorized(ApiError):
    """401, 403: a key is missing, wrong, or may not do this."""


class NotFound(ApiError):
    """404: no such collection, document, job or prompt."""


class Conflict(ApiError):
    """409: the request conflicts with the present state."""


class TooLarge(ApiError):
    """413: send less at a time."""


class Overloaded(ApiError):
    """429, 503: nothing was started; try again later."""


class ServerError(ApiError):
    """Any other 5xx."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: Overloaded,
    503: Overloaded,
}


def error_from_reply(status: int, body: bytes) -> ApiError:
    """The error for one non-2xx reply; a body that is no problem document becomes its detail."""
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        problem = {"detail": body[:500].decode("utf-8", "replace")}
    if not isinstance(problem, dict):
        problem = {"detail": str(problem)}
    fallback = ServerError if status >= 500 else InvalidRequest
    return _BY_STATUS.get(status, fallback)(status, problem)
