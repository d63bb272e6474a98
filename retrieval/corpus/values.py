"""Metadata values from strings and JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from retrieval.documents import Scalar

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})?(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?")
_LARGEST = 2**63


class InvalidValue(ValueError):
    """A value that metadata cannot hold. The message names it and the reason."""


def typed(value: str) -> str | int | float | bool:
    """A number or truth value if the string is written as one; codes such as `007` stay strings.

    >>> [typed(value) for value in ("12", "-0.5", "true", "007", "1e400", "nan", "a")]
    [12, -0.5, True, '007', '1e400', 'nan', 'a']
    """
    value = value.strip()
    if _WHOLE.fullmatch(value):
        return int(value)
    if value and _NUMBER.fullmatch(value) and any(c.isdigit() for c in value):
        number = float(value)
        return number if math.isfinite(number) else value
    return {"true": True, "false": False}.get(value.lower(), value)


def is_scalar(value: object) -> bool:
    """Whether metadata can hold the value by itself."""
    return value is None or isinstance(value, (str, int, float))


def checked(metadata: Mapping[str, object]) -> dict[str, Scalar | list[Scalar]]:
    """Metadata of scalars and lists of scalars, as given. Raises InvalidValue."""
    return {key: _checked(key, value) for key, value in metadata.items()}


def _checked(key: str, value: object) -> Scalar | list[Scalar]:
    if isinstance(value, list):
        return [_checked_scalar(key, item) for item in value]
    return _checked_scalar(key, value)


def _checked_scalar(key: str, value: object) -> Scalar:
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise InvalidValue(f"{key!r} is an integer of more than 64 bits; write it as a string")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValue(f"{key!r} is not a finite number")
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise InvalidValue(
        f"{key!r} is {type(value).__name__}; metadata holds strings, numbers, truth values and lists of them"
    )
