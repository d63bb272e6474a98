"""Every setting of the server, with its documentation: one frozen object, checked when it is made.

`docs/settings.md` and `excerpta serve --help` are generated from here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from api.commands.setting import Area, Note, check, check_url, parse, setting, variable
from api.errors import InvalidSettings
from api.request_settings import RequestSettings

Role: TypeAlias = Literal["all", "api", "worker"]
ReadFilesIn: TypeAlias = Literal["process", "thread"]
# As the prefix store has them; importing it from here would load torch for `--help`.
Storage: TypeAlias = Literal["exact", "bfloat16", "int8"]
Eviction: TypeAlias = Literal["lru", "lfu", "gdsf"]
Admission: TypeAlias = Literal["room", "second-use", "always"]

_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RequestSettings):
    """Every setting; each has an environment variable, EXCERPTA_ and its name in capitals.

    `data_dir` is EXCERPTA_DATA. Raises InvalidSettings with the remedy.

    >>> Settings(port=8080).port, Settings.from_env({"EXCERPTA_ROLE": "worker"}).serves
    (8080, False)
    """

    host: str = setting(
        "127.0.0.1",
        Area.SERVER,
        "Address to listen on. Set 0.0.0.0 to let other machines in; requests then need an API key.",
        flag="--host",
    )
    port: int = setting(
        8000, Area.SERVER, "Port to listen on; 0 picks a free one.", bounds=(0, 65_535), flag="--port"
    )
    api_keys: tuple[str, ...] = setting(
        (),
        Area.SERVER,
        "API keys, separated by commas, each of 16 characters or more. A request must carry one of "
        "them as `Authorization: Bearer KEY`. Set them wherever others can reach the address.",
    )
    make_key: bool = setting(
        True,
        Area.SERVER,
        "Make an API key at the first start where other machines can reach the address and no key is set. "
        "It is printed once; the data directory keeps its hash. Turn it off to refuse the start instead.",
    )
    insecure: bool = setting(
        False,
        Area.SERVER,
        "Listen on an address that others can reach without API keys. Set it only where something in "
        "front of the server, such as a proxy, checks who asks.",
        flag="--insecure",
    )
    role: Role = setting(
        "all",
        Area.SERVER,
        "What this process does: `api` answers requests, `worker` runs jobs, `all` does both. Split "
        "them where indexing must not slow queries down.",
        choices=get_args(Role),
        flag="--role",
    )
    data_dir: Path = setting(
        Path("data"),
        Area.MODELS,
        "Directory of collections, uploads, cached passages and the SQLite database. Put it on a local "
        "disk with room; every process of one service needs the same directory.",
        flag="--data",
    )
    cache_dir: str = setting(
        "",
        Area.MODELS,
        "Directory of converted models. Default: `excerpta` in XDG_CACHE_HOME or `~/.cache`, if writable.",
    )
    database_url: str = setting(
        "",
        Area.MODELS,
        "Database: `postgresql+asyncpg://USER:PASSWORD@HOST/NAME` or `sqlite+aiosqlite:///FILE`. "
        "Without it, SQLite in the data directory. Use PostgreSQL where several processes write.",
    )
    redis_url: str = setting(
        "",
        Area.MODELS,
        "Redis: `redis://HOST:6379/0`. It wakes workers of other processes at once; without it they "
        "look for work every EXCERPTA_POLL_S seconds.",
    )
    profile: str = setting(
        "small",
        Area.MODELS,
        "The set of models: the name of a profile, or a .toml file. `excerpta models` shows the one "
        "in use. A collection can be searched only with the encoder that it was indexed with.",
        flag="--profile",
    )
    device: str = setting(
        "auto",
        Area.MODELS,
        "Where the models run: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. `auto` takes the first GPU, "
        "if any. Set `cuda:1` to use another GPU.",
    )
    warm: bool = setting(
        True,
        Area.MODELS,
        "Load the models at the start. Turn it off for a faster start; the first query then waits for them.",
    )
    queue_capacity: int = setting(
        32,
        Area.ANSWERS,
        "Queries admitted to the device at once, running and waiting. Further queries get 503 with "
        "Retry-After. Raise it to queue longer instead.",
        unit="queries",
        bounds=(1, 10_000),
    )
    stage_tokens: int = setting(
        2_000_000,
        Area.ANSWERS,
        "Tokens of all requests to rerank or compress loose texts together, about four characters each. A "
        "larger single one gets 413, beyond it together 503 with Retry-After. Lower it on slow machines.",
        unit="tokens",
        bounds=(1, 1_000_000_000),
    )
    query_threads: int = setting(
        8,
        Area.ANSWERS,
        "Threads that search, read and write indexes for requests. Raise it on machines with many "
        "cores and many queries at once.",
        unit="threads",
        bounds=(1, 256),
    )
    answers: int = setting(
        16,
        Area.ANSWERS,
        "Answers generated together, one forward pass a token for all of them. Raise it on a GPU with room.",
        unit="answers",
        bounds=(1, 1024),
    )
    answer_tokens: int = setting(
        16_384,
        Area.ANSWERS,
        "Tokens, prompts included, of the answers that are generated together; others wait. A longer "
        "single answer runs alone. It bounds the memory of keys and values.",
        unit="tokens",
        bounds=(1, 100_000_000),
    )
    answer_queue_tokens: int = setting(
        65_536,
        Area.ANSWERS,
        "Tokens of running and waiting answers together. Beyond it a query gets 503 with Retry-After. "
        "Raise it to queue longer instead.",
        unit="tokens",
        bounds=(1, 1_000_000_000),
    )
    answer_drafts: int = setting(
        0,
        Area.ANSWERS,
        "Tokens drafted from the passages while one or two answers are generated; 0 drafts none. Measure "
        "before turning it on: with the models of profile `small` it gained nothing.",
        unit="tokens",
        bounds=(0, 32),
    )
    lease_s: float = setting(
        30.0,
        Area.INDEXING,
        "Time after which another worker takes over the job of a worker that gives no sign of life. "
        "Raise it where workers pause for long.",
        unit="seconds",
        bounds=(0.5, 3600),
    )
    poll_s: float = setting(
        2.0,
        Area.INDEXING,
        "How often workers look for jobs, and streams of jobs for progress, when nothing wakes them. "
        "Lower it without Redis for quicker starts; raise it to spare the database.",
        unit="seconds",
        bounds=(0.01, 60),
    )
    job_concurrency: int = setting(
        2,
        Area.INDEXING,
        "Jobs that this process runs at once, one for each collection. Raise it where many "
        "collections are indexed at the same time.",
        unit="jobs",
        bounds=(1, 16),
    )
    trash_days: float = setting(
        7.0,
        Area.INDEXING,
        "How long `trash` in the data directory keeps indexes and uploads that the database does not name. "
        "Raise it where nobody looks at the log for longer; it takes disk space.",
        unit="days",
        bounds=(0, 3650),
    )
    merge_share: float = setting(
        0.5,
        Area.INDEXING,
        "Share of one core that merging segments may take in the long run; 0 merges none. Lower it "
        "where queries need the core.",
        unit="of a core",
        bounds=(0, 1),
    )
    read_files_in: ReadFilesIn = setting(
        "process",
        Area.INDEXING,
        "Where uploaded files are read: `process` takes a child process with limits on time and memory, so "
        "that a hostile or broken file ends the child alone; `thread` reads them in the service itself.",
        choices=get_args(ReadFilesIn),
    )
    batch_documents: int = setting(
        256,
        Area.INDEXING,
        "Most documents in one batch of a job. A job resumes at its last committed batch. Larger "
        "batches make fewer segments and repeat more work after a crash.",
        unit="documents",
        bounds=(1, 10_000),
    )
    batch_characters: int = setting(
        200_000,
        Area.INDEXING,
        "Most characters in one batch of a job, if reached before EXCERPTA_BATCH_DOCUMENTS. Lower it "
        "where memory is short.",
        unit="characters",
        bounds=(1, 100_000_000),
    )
    prefix_memory_mb: int = setting(
        512,
        Area.PREFIXES,
        "Memory for cached passages. Raise it until most passages of repeated questions are found "
        "there; `GET /v1/stats` shows how many are.",
        unit="MiB",
        bounds=(1, 1_000_000),
    )
    prefix_disk_mb: int = setting(
        2048,
        Area.PREFIXES,
        "Disk space for cached passages, in the data directory; 0 caches none on disk. Raise it where "
        "a disk has room: reading is faster than encoding again.",
        unit="MiB",
        bounds=(0, 10_000_000),
    )
    prefix_redis: bool = setting(
        False,
        Area.PREFIXES,
        "Share cached passages through Redis. Turn it on where several processes answer about the "
        "same documents; needs EXCERPTA_REDIS_URL.",
    )
    prefix_redis_mb: int = setting(
        64,
        Area.PREFIXES,
        "Largest cached passage that goes to Redis. Lower it where the network is slow.",
        unit="MiB",
        bounds=(1, 512),
    )
    prefix_redis_ttl_s: int = setting(
        86_400,
        Area.PREFIXES,
        "Time after its last use that a cached passage stays in Redis. Lower it where Redis is short "
        "of memory.",
        unit="seconds",
        bounds=(1, 31_536_000),
    )
    prefix_storage: Storage = setting(
        "exact",
        Area.PREFIXES,
        "Number format of cached passages: as computed (`exact`), or in half (`bfloat16`) or a "
        "quarter (`int8`) of the bytes of float32. The smaller ones cache more and may change answers "
        "a little.",
        choices=get_args(Storage),
    )
    prefix_eviction: Eviction = setting(
        "gdsf",
        Area.PREFIXES,
        "Which cached passages are evicted first: the least recently used (`lru`), the least often "
        "used (`lfu`), or the cheapest to encode again for their size and use (`gdsf`).",
        choices=get_args(Eviction),
    )
    prefix_admission: Admission = setting(
        "room",
        Area.PREFIXES,
        "When a passage is cached: at its first use (`always`), at its second (`second-use`), or at "
        "its first while there is room and at its second otherwise (`room`). `second-use` spares the "
        "disk.",
        choices=get_args(Admission),
    )

    def __post_init__(self) -> None:
        for name, note in notes().items():
            check(name, getattr(self, name), note)
        if self.prefix_redis and not self.redis_url:
            raise InvalidSettings("prefix_redis", True, f"set {variable('redis_url')} as well")
        if not self.host:
            raise InvalidSettings("host", self.host, "set an address, such as 127.0.0.1")
        if any(len(key) < _SHORTEST_KEY or key != key.strip() for key in self.api_keys):
            raise InvalidSettings(
                "api_keys", "...", f"give keys of {_SHORTEST_KEY} characters or more, without spaces around"
            )
        check_url("database_url", self.database_url, ("sqlite+aiosqlite://", "postgresql+asyncpg://"))
        check_url("public_url", self.public_url, ("http://", "https://"))
        for origin in self.cors_origins:
            check_url("cors_origins", origin, ("http://", "https://"))
        check_url("redis_url", self.redis_url, ("redis://", "rediss://", "unix://"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the environment; what `overrides` names and is not None comes first."""
        environ = os.environ if environ is None else environ
        given = {name: value for name, value in overrides.items() if value is not None}
        for one in fields(cls):
            text = environ.get(variable(one.name), "")
            if one.name not in given and text:
                given[one.name] = parse(one.name, type(one.default), text)
        return cls(**given)

    @property
    def database(self) -> str:
        """The database's URL: the one given, or SQLite's in the data directory."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'excerpta.db').resolve()}"

    @property
    def cache(self) -> Path:
        """The directory of converted models."""
        try:
            default = f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/excerpta"
            return Path(self.cache_dir or default).expanduser()
        except RuntimeError:  # a user without a home
            return self.data_dir

    @property
    def works(self) -> bool:
        """Whether this process runs jobs."""
        return self.role != "api"

    @property
    def serves(self) -> bool:
        """Whether this process answers the API."""
        return self.role != "worker"

    @property
    def needs_key(self) -> bool:
        """Whether other machines can reach the address while no key is set and nothing else checks them."""
        return not (self.api_keys or self.insecure or _is_loopback(self.host))

    def refuse_open_door(self) -> None:
        """Raises InvalidSettings where a key is needed and none may be made."""
        if self.needs_key and not self.make_key:
            raise InvalidSettings(
                "host",
                self.host,
                "other machines can reach this address, and there are no API keys. Set EXCERPTA_API_KEYS or "
                "EXCERPTA_MAKE_KEY=true, or --insecure if something in front of the service checks who asks",
            )


def notes() -> dict[str, Note]:
    """The documentation of every setting by its name, in the order of the areas."""
    order = list(Area)
    found = sorted(fields(Settings), key=lambda one: order.index(one.metadata["note"].area))
    return {one.name: one.metadata["note"] for one in found}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
