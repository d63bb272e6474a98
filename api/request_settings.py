"""The settings of requests: who may send them, how large they may be, how long they may take."""

from __future__ import annotations

from dataclasses import dataclass

from api.commands.setting import Area, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSettings:
    """The part of `Settings` about addresses, browsers and requests."""

    max_body_mb: int = setting(
        16,
        Area.REQUESTS,
        "Largest request body, uploads excepted. Raise it for very large documents that are sent one by one.",
        unit="MiB",
        bounds=(1, 1024),
    )
    max_upload_mb: int = setting(
        1024,
        Area.REQUESTS,
        "Largest upload: all files of one job together. Raise it where one job brings more.",
        unit="MiB",
        bounds=(1, 65_536),
    )
    max_upload_files: int = setting(
        10_000,
        Area.REQUESTS,
        "Most files in one upload. Raise it for folders of many small files.",
        unit="files",
        bounds=(1, 100_000),
    )
    query_timeout_s: float = setting(
        300.0,
        Area.REQUESTS,
        "Longest time for one query, also where a request asks for more. Lower it to end slow queries "
        "sooner.",
        unit="seconds",
        bounds=(0.1, 3600),
    )
    keep_alive_s: float = setting(
        10.0,
        Area.REQUESTS,
        "Silence after which a stream sends a comment to keep its connection open. Lower it where a "
        "proxy closes connections earlier.",
        unit="seconds",
        bounds=(0.01, 300),
    )
    shutdown_s: float = setting(
        10.0,
        Area.REQUESTS,
        "Time that an orderly end may take: open requests, jobs and merges. Keep it below the time "
        "after which the process manager kills.",
        unit="seconds",
        bounds=(0.1, 600),
    )
