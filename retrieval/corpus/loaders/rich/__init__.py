"""Rich text (RTF) as blocks."""

from retrieval.corpus.loaders.rich.loading import load_rtf

__all__ = ["load_rtf"]
