"""Text in: files become documents, documents become passages."""

from .chunker import Chunker, InvalidChunking

__all__ = ["Chunker", "InvalidChunking"]
