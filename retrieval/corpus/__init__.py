"""Text in: files become documents, documents become passages."""

from .chunker import Chunker, InvalidChunking
from .formats import EXTENSIONS, Format
from .limits import DEFAULT_LIMITS, InvalidLimits, LoadLimits
from .load import Loaded, Source, load_file, load_files

__all__ = [
    "DEFAULT_LIMITS",
    "EXTENSIONS",
    "Chunker",
    "Format",
    "InvalidChunking",
    "InvalidLimits",
    "LoadLimits",
    "Loaded",
    "Source",
    "load_file",
    "load_files",
]
