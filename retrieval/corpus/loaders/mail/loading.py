"""EML: a message's text under its subject, with who wrote it to whom, and what is attached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from lxml import etree

from retrieval.corpus.blocks import Block, Heading, Paragraph
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.html import declared_encoding, load_html
from retrieval.corpus.loaders.mail.headers import Headers, headers_of
from retrieval.corpus.loaders.mail.parts import Parts, parts_of
from retrieval.corpus.loaders.mail.plain import plain_blocks
from retrieval.corpus.loaders.web import read_page
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document, Metadata, Scalar
from retrieval.errors import UnreadableDocument

# Apple's files have the length of the message in a line before it.
_LENGTH = re.compile(rb"(\d{1,12})[ \t]*\r?\n")
_WEB_ARCHIVE = (".mht", ".mhtml")


@dataclass(slots=True)
class Mail:
    """A message's document, remarks about it, and its attachments: names and bytes."""

    loaded: list[Document | Remark] = field(default_factory=list)
    attachments: list[tuple[str, bytes]] = field(default_factory=list)


def read_mail(name: str, data: bytes, limits: LoadLimits) -> Mail:
    """The message. Its subject is the title; sender, receivers and date are in the text and the metadata.

    Quoted lines of earlier messages are kept with their `>`. Of a text and a page that say the same, the text
    is taken. Raises UnreadableDocument if there is neither text nor an attachment.
    """
    if found := _LENGTH.match(data):
        data = data[found.end() : found.end() + int(found[1])]
    message = message_from_bytes(data)
    parts = parts_of(message)
    if name.lower().endswith(_WEB_ARCHIVE) and parts.texts:
        return _web_archive(name, parts, limits)
    headers = headers_of(message)
    if (
        not headers.lines()
        and not headers.subject
        and not {"MIME-Version", "Content-Type"} & {*message.keys()}
    ):
        raise UnreadableDocument(name, "is not an e-mail: it has no sender, receiver, date or subject")
    mail = Mail(attachments=parts.attachments)
    blocks = list(_blocks(name, parts, mail))
    if not blocks and not parts.attachments and parts.left_out:
        raise UnreadableDocument(name, "is encrypted; save it decrypted")
    top: list[Block] = [Heading(headers.subject, 1), Paragraph(headers.lines())]
    document = make_document(
        name, write([*top, *blocks]), limits, title=headers.subject, metadata=_metadata(name, headers)
    )
    mail.loaded.insert(0, document)
    for what in dict.fromkeys(parts.left_out):
        mail.loaded.append(Remark(name, f"{what} were left out", whole=False))
    return mail


def _web_archive(name: str, parts: Parts, limits: LoadLimits) -> Mail:
    """The page of a web page that was saved as one file."""
    page = next((one for one in parts.texts if one.get_content_type() == "text/html"), parts.texts[0])
    return Mail(list(load_html(name, _bytes(page), limits)))


def _metadata(name: str, headers: Headers) -> Metadata:
    fields: dict[str, Scalar | list[Scalar]] = {"source": name}
    fields |= {"from": headers.sender} if headers.sender else {}
    fields |= {"to": [*headers.to]} if headers.to else {}
    fields |= {"cc": [*headers.copies]} if headers.copies else {}
    fields |= {"date": headers.date} if headers.date else {}
    return fields


def _blocks(name: str, parts: Parts, mail: Mail) -> Iterator[Block]:
    machine_text = MachineText()
    for part in parts.texts:
        data = _bytes(part)
        is_page = part.get_content_type() == "text/html"
        charset = part.get_content_charset() or (declared_encoding(data) if is_page else None)
        found = decoded(name, data, declared=charset)
        mail.loaded += [found.remark] if found.remark else []
        text = machine_text.leave_out(clean(found.text))
        if is_page:
            yield from _page(name, text)
        else:
            flowed = str(part.get_param("format", "")).lower() == "flowed"
            join = str(part.get_param("delsp", "")).lower() == "yes"
            yield from plain_blocks(text, flowed=flowed, join=join)
    mail.loaded += filter(None, [machine_text.remark(name)])


def _page(name: str, text: str) -> list[Block]:
    try:
        return read_page(name, text, main_content=False).blocks
    except etree.LxmlError as error:
        raise UnreadableDocument(name, f"cannot be read as HTML: {error}") from error


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
