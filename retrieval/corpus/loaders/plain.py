"""Plain text: the file is the document."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import decode, make_document
from retrieval.types import Document


def load_text(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document]:
    """One document. A line such as `# Set-up` counts as a heading, as everywhere."""
    yield make_document(name, decode(name, data), limits, metadata={"source": name})
