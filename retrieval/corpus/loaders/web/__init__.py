"""Web pages as blocks: a stream of tags in, headings, paragraphs, lists, tables and code out."""

from retrieval.corpus.loaders.web.reader import Page, read_fragment, read_page
from retrieval.corpus.loaders.web.xhtml import read_xhtml

__all__ = ["Page", "read_fragment", "read_page", "read_xhtml"]
