"""Text in: files become documents, documents become passages."""

from retrieval.corpus.chunker import Chunker, InvalidChunking
from retrieval.corpus.formats import EXTENSIONS, Format
from retrieval.corpus.limits import DEFAULT_LIMITS, InvalidLimits, LoadLimits
from retrieval.corpus.load import READER, Loaded, load_file
from retrieval.corpus.remarks import Remark

__all__ = [
    "DEFAULT_LIMITS",
    "EXTENSIONS",
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
