"""One setting: its documentation, its environment variable, how its value is read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from api.errors import InvalidSettings

T = TypeVar("T")
_RENAMED = {"data_dir": "EXCERPTA_DATA"}


class Area(Enum):
    """The groups that the documentation shows settings in, in this order."""

    SERVER = "Address and access"
    MODELS = "Data and models"
    REQUESTS = "Requests"
    ANSWERS = "Queries and answers"
    INDEXING = "Indexing and jobs"
    PREFIXES = "Cached passages (prefix store)"


@dataclass(frozen=True, slots=True)
class Note:
    """What is documented about a setting: its area, its effect and when to change it, its unit and values."""

    area: Area
    text: str
    unit: str = ""
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    flag: str = ""


def setting(
    default: T,
    area: Area,
    text: str,
    *,
    unit: str = "",
    bounds: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    flag: str = "",
) -> T:
    """A field of `Settings` with its documentation; bounds and choices are checked as well.

    With `flag`, `excerpta serve` takes it on the command line, too.
    """
    return field(default=default, metadata={"note": Note(area, text, unit, bounds, choices, flag)})


def variable(name: str) -> str:
    """The environment variable of a setting.

    >>> variable("redis_url"), variable("data_dir")
    ('EXCERPTA_REDIS_URL', 'EXCERPTA_DATA')
    """
    return _RENAMED.get(name, f"EXCERPTA_{name.upper()}")


def parse(name: str, kind: type, text: str) -> object:
    """The value that `text` of the environment stands for. Raises InvalidSettings."""
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


def check(name: str, value: Any, note: Note) -> None:
    """Raises InvalidSettings for a value outside the bounds or choices of its note."""
    if note.choices and value not in note.choices:
        raise InvalidSettings(name, value, f"set it to one of {', '.join(note.choices)}")
    if note.bounds and not note.bounds[0] <= value <= note.bounds[1]:
        least, most = note.bounds
        raise InvalidSettings(name, value, f"set it to {least} or more and {most} or less")


def check_url(name: str, url: str, schemes: tuple[str, ...]) -> None:
    """Raises InvalidSettings for a URL of another scheme; an empty one is none."""
    if url and not url.startswith(schemes):
        # Only the scheme is repeated: the rest may hold a password.
        raise InvalidSettings(name, url.partition("://")[0], f"start it with {' or '.join(schemes)}")
