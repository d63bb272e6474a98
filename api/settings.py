"""What the service is told from outside: one frozen object, checked when it is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from api.errors import InvalidSettings

Role: TypeAlias = Literal["all", "api", "worker"]
# As the prefix store has them; importing it from here would load torch for `--help`.
Storage: TypeAlias = Literal["exact", "bfloat16", "int8"]
Eviction: TypeAlias = Literal["lru", "lfu", "gdsf"]
Admission: TypeAlias = Literal["room", "second-use", "always"]

_RENAMED = {"data_dir": "EXCERPTA_DATA"}
_BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "max_body_mb": (1, 1024),
    "max_upload_mb": (1, 65_536),
    "max_upload_files": (1, 100_000),
    "queue_capacity": (1, 10_000),
    "answers": (1, 1024),
    "answer_tokens": (1, 100_000_000),
    "answer_queue_tokens": (1, 1_000_000_000),
    "answer_drafts": (0, 32),
    "query_timeout_s": (0.1, 3600),
    "keep_alive_s": (0.01, 300),
    "shutdown_s": (0.1, 600),
    "lease_s": (0.5, 3600),
    "poll_s": (0.01, 60),
    "job_concurrency": (1, 16),
    "merge_share": (0, 1),
    "batch_documents": (1, 10_000),
    "batch_characters": (1, 100_000_000),
    "prefix_memory_mb": (1, 1_000_000),
    "prefix_disk_mb": (0, 10_000_000),
    "prefix_redis_mb": (1, 512),
    "prefix_redis_ttl_s": (1, 31_536_000),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "role": get_args(Role),
    "prefix_storage": get_args(Storage),
    "prefix_eviction": get_args(Eviction),
    "prefix_admission": get_args(Admission),
}
_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting; each has an environment variable, EXCERPTA_ and its name in capitals.

    `data_dir` is EXCERPTA_DATA; `api_keys` are separated by commas. Without `database_url`, SQLite in the
    data directory; without `redis_url`, wake-ups stay in this process and other processes poll.
    `lease_s`: how long a worker that says nothing keeps a job. `batch_documents`, `batch_characters`:
    where a job's batch is cut, whichever comes first. `shutdown_s` bounds an orderly end. `merge_share`:
    how much of one core merging segments may take in the long run; 0 merges none.

    `answers` are written at once, and read and write at most `answer_tokens` tokens together; others wait.
    With those that wait they have at most `answer_queue_tokens`; then a query is refused for now, as it is
    when `queue_capacity` queries have been admitted. A single answer may be longer than either. With
    `answer_drafts`, up to so many tokens are drafted from the passages while one or two answers are written.

    `prefix_memory_mb` and `prefix_disk_mb` are the budgets of the prefix store; with `prefix_redis`, other
    processes find its blocks in Redis as well, those of up to `prefix_redis_mb`, for `prefix_redis_ttl_s`
    after their last use. `prefix_storage`: blocks as computed ("exact"), in half ("bfloat16") or a quarter
    ("int8") of the bytes of float32. `prefix_eviction`: what goes when it is full ("gdsf", "lru", "lfu").
    `prefix_admission`: a passage's block is kept from its second use on ("second-use"), at once while
    there is room and from the second use on when there is none ("room"), or at once ("always").
    Raises InvalidSettings with the remedy.
    """

    data_dir: Path = Path("data")
    database_url: str = ""
    redis_url: str = ""
    profile: str = "small"
    device: str = "auto"
    role: Role = "all"
    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = ()
    insecure: bool = False
    warm: bool = True
    max_body_mb: int = 16
    max_upload_mb: int = 1024
    max_upload_files: int = 10_000
    queue_capacity: int = 32
    answers: int = 16
    answer_tokens: int = 16_384
    answer_queue_tokens: int = 65_536
    answer_drafts: int = 0
    query_timeout_s: float = 300.0
    keep_alive_s: float = 10.0
    shutdown_s: float = 10.0
    lease_s: float = 30.0
    poll_s: float = 2.0
    job_concurrency: int = 2
    merge_share: float = 0.5
    batch_documents: int = 256
    batch_characters: int = 200_000
    prefix_memory_mb: int = 512
    prefix_disk_mb: int = 2048
    prefix_redis: bool = False
    prefix_redis_mb: int = 64
    prefix_redis_ttl_s: int = 86_400
    prefix_storage: Storage = "exact"
    prefix_eviction: Eviction = "gdsf"
    prefix_admission: Admission = "room"

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InvalidSettings(name, value, f"set it to {least} or more and {most} or less")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidSettings(name, getattr(self, name), f"set it to one of {', '.join(choices)}")
        if self.prefix_redis and not self.redis_url:
            raise InvalidSettings("prefix_redis", True, f"set {variable('redis_url')} as well")
        if not self.host:
            raise InvalidSettings("host", self.host, "set an address, such as 127.0.0.1")
        if any(len(key) < _SHORTEST_KEY or key != key.strip() for key in self.api_keys):
            raise InvalidSettings(
                "api_keys", "...", f"give keys of {_SHORTEST_KEY} characters or more, without spaces around"
            )
        _check_url("database_url", self.database_url, ("sqlite+aiosqlite://", "postgresql+asyncpg://"))
        _check_url("redis_url", self.redis_url, ("redis://", "rediss://", "unix://"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the environment; what `overrides` names and is not None comes first."""
        environ = os.environ if environ is None else environ
        given = {name: value for name, value in overrides.items() if value is not None}
        for field in fields(cls):
            text = environ.get(variable(field.name), "")
            if field.name not in given and text:
                given[field.name] = _parse(field.name, type(field.default), text)
        return cls(**given)

    @property
    def database(self) -> str:
        """The database's URL: the one given, or SQLite's in the data directory."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'excerpta.db').resolve()}"

    @property
    def works(self) -> bool:
        """Whether this process runs jobs."""
        return self.role != "api"

    @property
    def serves(self) -> bool:
        """Whether this process answers the API."""
        return self.role != "worker"

    def refuse_open_door(self) -> None:
        """Raises InvalidSettings for an address others can reach while there are no keys."""
        if not (self.api_keys or self.insecure or _is_loopback(self.host)):
            raise InvalidSettings(
                "host",
                self.host,
                "other machines can reach this address, and there are no API keys. Set EXCERPTA_API_KEYS, "
                "or --insecure if something in front of the service checks who asks",
            )


def variable(name: str) -> str:
    """The environment variable of a setting.

    >>> variable("redis_url"), variable("data_dir")
    ('EXCERPTA_REDIS_URL', 'EXCERPTA_DATA')
    """
    return _RENAMED.get(name, f"EXCERPTA_{name.upper()}")


def _parse(name: str, kind: type, text: str) -> object:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off"):
            return False
        raise InvalidSettings(variable(name), text, "set it to true or false")
    if kind is tuple:
        return tuple(part for part in text.split(",") if part)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise InvalidSettings(variable(name), text, "set it to a number") from None
    return Path(text).expanduser() if issubclass(kind, Path) else text


def _check_url(name: str, url: str, schemes: tuple[str, ...]) -> None:
    if url and not url.startswith(schemes):
        # Only the scheme is repeated: the rest may hold a password.
        raise InvalidSettings(name, url.partition("://")[0], f"start it with {' or '.join(schemes)}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
