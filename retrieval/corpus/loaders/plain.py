"""Plain text, and code: the file is the document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from retrieval.corpus.blocks import Code
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.headings import find_headings
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import Written, write
from retrieval.documents import Document


def load_text(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document. A line such as `# Set-up` counts as a heading, but in a log, where it is a comment.

    Runs of encoded data are left out, with a remark.
    """
    found = decoded(name, data)
    machine_text = MachineText()
    text: str | Written = machine_text.leave_out(clean(found.text))
    if PurePosixPath(name).suffix.lower() == ".log" and find_headings(str(text)):
        text = write([Code(str(text))])
    yield make_document(name, text, limits, metadata={"source": name})
    yield from filter(None, [found.remark, machine_text.remark(name)])


def load_code(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of code or configuration, between fences, so that its comments are no headings."""
    found = decoded(name, data)
    machine_text = MachineText()
    text = machine_text.leave_out(clean(found.text))
    language = PurePosixPath(name).suffix.lower().removeprefix(".")
    yield make_document(name, write([Code(text, language)]), limits, metadata={"source": name})
    yield from filter(None, [found.remark, machine_text.remark(name)])
