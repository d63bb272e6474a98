"""Text in: files become documents, documents become passages."""

from retrieval.corpus.chunker import Chunker, InvalidChunking
from retrieval.corpus.formats import EXTENSIONS, Format
from retrieval.corpus.limits import DEFAULT_LIMITS, InvalidLimits, LoadLimits
from retrieval.corpus.load import Loaded, load_file

__all__ = [
    "DEFAULT_LIMITS",
    "EXTENSIONS",
    "Chunker",
    "Format",
    "InvalidChunking",
    "InvalidLimits",
    "LoadLimits",
    "Loaded",
    "load_file",
]
