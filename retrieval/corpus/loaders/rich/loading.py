"""RTF: paragraphs, headings, lists, tables, notes and comments, as they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.corpus.blocks import Heading
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.rich.reader import read_rtf
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document


def load_rtf(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of the text. Its title is that of the file, else its first heading of level 1.

    Hidden and deleted text, headers, footers and pictures are left out, and formulas with a remark.
    """
    found = read_rtf(name, data)
    heads = (block.text for block in found.blocks if isinstance(block, Heading) and block.level == 1)
    title = found.title or next(heads, "")
    yield make_document(name, write(found.blocks), limits, title=title, metadata={"source": name})
    if found.formulas:
        formulas = "1 formula was" if found.formulas == 1 else f"{found.formulas} formulas were"
        yield Remark(name, f"{formulas} left out; save it as DOCX", whole=False)
