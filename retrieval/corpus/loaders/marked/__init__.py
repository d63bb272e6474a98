"""Markdown as blocks: front matter, block structure, and the words of one paragraph."""
