"""The settings of requests: who may send them, how large they may be, how long they may take."""

from __future__ import annotations

from dataclasses import dataclass

from api.commands.setting import Area, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSettings:
    """The part of `Settings` about addresses, browsers and requests."""

    public_url: str = setting(
        "",
        Area.SERVER,
        "The address that others use, such as `https://ask.example.org`: links in replies begin with it. "
        "Set it behind a proxy. Otherwise links begin with the request's name if it is known, or with /.",
    )
    allowed_hosts: tuple[str, ...] = setting(
        (),
        Area.SERVER,
        "Names that a service without keys answers to besides localhost, separated by commas; `*` is every "
        "name. Name those by which a proxy or another machine calls it.",
    )
    cors_origins: tuple[str, ...] = setting(
        (),
        Area.SERVER,
        "Origins whose web pages may use the API, separated by commas, such as `https://app.example.org`. "
        "Name your own pages; without it only pages of the service itself may.",
    )
    max_connections: int = setting(
        1000,
        Area.REQUESTS,
        "Connections at once; further ones get 503 with Retry-After. Raise it for many clients; each "
        "takes an open file.",
        unit="connections",
        bounds=(1, 60_000),
    )
    head_timeout_s: float = setting(
        10.0,
        Area.REQUESTS,
        "Time that a client has to send the head of a request, from its first byte on or from connecting. "
        "Raise it for very slow lines.",
        unit="seconds",
        bounds=(0.1, 600),
    )
    body_timeout_s: float = setting(
        30.0,
        Area.REQUESTS,
        "Longest pause within the body of a request; then it ends with 408. Raise it for very slow lines.",
        unit="seconds",
        bounds=(0.1, 3600),
    )
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
