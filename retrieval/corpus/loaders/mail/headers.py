"""The headers of a message: who wrote to whom, when, and about what."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from retrieval.corpus.cleaning.encodings import decoded
from retrieval.errors import UnreadableDocument

_SPACES = re.compile(r"\s+")
_MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Headers:
    """What a reader sees above a message; `date` is in the form of ISO 8601, "" if there is none."""

    subject: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    date: str = ""

    def lines(self) -> str:
        """The headers but the subject, a line each."""
        values = {
            "From": self.sender,
            "To": ", ".join(self.to),
            "Cc": ", ".join(self.copies),
            "Date": self.date.replace("T", " "),
        }
        return "\n".join(f"{name}: {value}" for name, value in values.items() if value)


def headers_of(message: Message) -> Headers:
    """The headers of a message, decoded."""
    return Headers(
        _value(message, "Subject"),
        next(iter(_people(message, "From")), "") or next(iter(_people(message, "Sender")), ""),
        _people(message, "To"),
        _people(message, "Cc"),
        _date(_value(message, "Date")),
    )


def _value(message: Message, name: str) -> str:
    return shown(next(iter(_raw(message, name)), None))


def _raw(message: Message, name: str) -> list[str]:
    """The values of a header as the file has them, in bytes outside ASCII as lone surrogates."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def shown(raw: object) -> str:
    """A header's value as text; bytes outside ASCII that nothing declares are decoded by a guess."""
    if raw is None:
        return ""
    text = str(raw)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _decoded(text.encode("utf-8", "surrogateescape"))
    with contextlib.suppress(HeaderParseError, LookupError, ValueError):
        text = str(make_header(decode_header(text)))
    return _SPACES.sub(" ", text).strip()


def _decoded(data: bytes) -> str:
    try:
        return decoded("", data).text
    except UnreadableDocument:
        return data.decode("utf-8", "replace")


def _people(message: Message, name: str) -> tuple[str, ...]:
    # Addresses are parted before names are decoded, since a name may hold a comma.
    raw = [value.replace("\n", " ").replace("\r", " ") for value in _raw(message, name)]
    people = [(shown(person), address.strip()) for person, address in getaddresses(raw)[:_MOST_PEOPLE]]
    named = (
        f"{person} <{address}>" if person and address else person or address for person, address in people
    )
    return tuple(filter(None, named))


def _date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).isoformat() if text else ""
    except (ValueError, TypeError, OverflowError):
        return ""
