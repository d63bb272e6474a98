"""Electronic books (EPUB) as blocks."""

from retrieval.corpus.loaders.book.loading import load_book

__all__ = ["load_book"]
