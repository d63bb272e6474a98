"""(query, texts, budget) in, kept spans of the source out."""

from __future__ import annotations

from compress.base import Compressed, Compressor
from compress.catalogue import METHODS, AutoCompressor, make_compressor
from compress.errors import CompressError, InvalidBudget, InvalidTrainingData, UnknownCompressor
from compress.methods.lexical import LexicalCompressor
from compress.methods.token_classifier import TokenClassifierCompressor
from compress.protect import Protection

__all__ = [
    "METHODS",
    "AutoCompressor",
    "CompressError",
    "Compressed",
    "Compressor",
    "InvalidBudget",
    "InvalidTrainingData",
    "LexicalCompressor",
    "Protection",
    "TokenClassifierCompressor",
    "UnknownCompressor",
    "make_compressor",
]
