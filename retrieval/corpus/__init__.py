"""Text in: files become documents, documents become passages."""

from typing import TYPE_CHECKING

from base.lazy import lazily

if TYPE_CHECKING:
    from retrieval.corpus.chunker import Chunker, InvalidChunking
    from retrieval.corpus.formats import EXTENSIONS, NAMES, Format
    from retrieval.corpus.limits import DEFAULT_LIMITS, InvalidLimits, LoadLimits
    from retrieval.corpus.load import READER, Loaded, load_file
    from retrieval.corpus.remarks import Remark

# Looked up when first used: reading files needs nothing of what cuts passages, and starts faster without.
_HOMES = {
    "Chunker": "retrieval.corpus.chunker",
    "DEFAULT_LIMITS": "retrieval.corpus.limits",
    "EXTENSIONS": "retrieval.corpus.formats",
    "Format": "retrieval.corpus.formats",
    "InvalidChunking": "retrieval.corpus.chunker",
    "InvalidLimits": "retrieval.corpus.limits",
    "LoadLimits": "retrieval.corpus.limits",
    "Loaded": "retrieval.corpus.load",
    "NAMES": "retrieval.corpus.formats",
    "READER": "retrieval.corpus.load",
    "Remark": "retrieval.corpus.remarks",
    "load_file": "retrieval.corpus.load",
}

__getattr__ = lazily(__name__, _HOMES)

__all__ = [
    "DEFAULT_LIMITS",
    "EXTENSIONS",
    "NAMES",
    "READER",
    "Chunker",
    "Format",
    "InvalidChunking",
    "InvalidLimits",
    "LoadLimits",
    "Loaded",
    "Remark",
    "load_file",
]
