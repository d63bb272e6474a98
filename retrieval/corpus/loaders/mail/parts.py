"""The parts of a message: those that are its text, and those that are attached to it."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message

from retrieval.corpus.loaders.mail.headers import headers_of, shown

_DEEPEST = 40
_LONGEST_NAME = 120
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
# A plain text of much less than the page beside it only says to look at that page.
_LEAST_SHARE = 0.2
_MARKUP = re.compile(rb"<(style|script|head)\b.*?</\1>|<[^>]*>|\s+", re.DOTALL | re.IGNORECASE)


@dataclass(slots=True)
class Parts:
    """`texts` are the parts that are read as the message; `left_out` says what is in it that is not read."""

    texts: list[Message] = field(default_factory=list)
    attachments: list[tuple[str, bytes]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def parts_of(message: Message) -> Parts:
    """The parts of a message, in order. Of alternatives one is taken: plain text before a page."""
    found = Parts()
    _Sorting(found).take(message, 0)
    return found


class _Sorting:
    def __init__(self, found: Parts) -> None:
        self._found = found
        self._names: set[str] = set()

    def take(self, part: Message, depth: int, *, related: bool = False) -> None:
        """Sorts a part and all in it; `related`: it belongs to a page, such as its images."""
        kind = part.get_content_type()
        if depth > _DEEPEST:
            self._found.left_out.append("parts that are nested too deeply")
        elif kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
            self._found.left_out.append("encrypted parts")
        elif kind == "multipart/alternative":
            self.take(_chosen(part), depth + 1)
        elif kind == "message/rfc822":
            self._attach_message(part)
        elif part.is_multipart():
            for number, one in enumerate(_inside(part)):
                self.take(one, depth + 1, related=kind == "multipart/related" and number > 0)
        elif _is_text(part) and not related:
            self._found.texts.append(part)
        elif not _is_furniture(part, kind, related=related):
            self._attach(_file_name(part), bytes(part.get_payload(decode=True) or b""))

    def _attach(self, name: str, data: bytes) -> None:
        if not data:
            return
        name, dot, end = name.rpartition(".") if "." in name else (name, "", "")
        number, unique = 1, f"{name}{dot}{end}"
        while unique in self._names:
            number += 1
            unique = f"{name}-{number}{dot}{end}"
        self._names.add(unique)
        self._found.attachments.append((unique, data))

    def _attach_message(self, part: Message) -> None:
        for inner in _inside(part):
            name = _clean(headers_of(inner).subject)[:_LONGEST_NAME] or "message"
            self._attach(f"{name}.eml", inner.as_bytes(policy=policy.compat32))


def _inside(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _chosen(part: Message) -> Message:
    """Of alternatives the plain text, or the page where that has much more words."""
    plain = next((one for one in part.walk() if _is_text(one) and _is(one, "text/plain")), None)
    others = [one for one in _inside(part) if not _is(one, "text/plain")]
    page = next((one for one in others if any(_is(inner, "text/html") for inner in one.walk())), None)
    if plain is None:
        return page or next(iter(_inside(part)), Message())
    if page is None or _words(plain) >= _LEAST_SHARE * max(map(_words, page.walk())):
        return plain
    return page


def _is(part: Message, kind: str) -> bool:
    return part.get_content_type() == kind


def _words(part: Message) -> int:
    if part.is_multipart() or part.get_content_maintype() != "text":
        return 0
    return len(_MARKUP.sub(b"", bytes(part.get_payload(decode=True) or b"")))


def _is_text(part: Message) -> bool:
    attached = part.get_content_disposition() == "attachment" or part.get_filename()
    return part.get_content_type() in ("text/plain", "text/html") and not attached


def _is_furniture(part: Message, kind: str, *, related: bool) -> bool:
    """Images of a page and of signatures, and signatures by a key."""
    inline = related or part.get_content_disposition() == "inline" or "Content-ID" in part
    signed = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
    return (kind.startswith("image/") and inline) or kind in signed or (related and kind == "text/css")


def _file_name(part: Message) -> str:
    name = _clean(shown(part.get_filename()))
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 20] + name[-20:]
    return name or f"part{mimetypes.guess_extension(part.get_content_type()) or '.txt'}"


def _clean(name: str) -> str:
    """A name without folders and signs that no file system allows."""
    return _UNSAFE.sub("-", name.replace("\\", "/").rpartition("/")[2]).strip(" .-")
