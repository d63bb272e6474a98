"""OpenDocument texts as blocks."""

from retrieval.corpus.loaders.odf.loading import load_odt

__all__ = ["load_odt"]
