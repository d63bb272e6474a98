"""The words of a text in the form in which they are compared: case folded and stemmed."""

from __future__ import annotations

from base.text.stems import stem
from base.text.words import Spans


def stems_of(text: str, spans: Spans) -> list[str]:
    """The words of `text`, case folded and stemmed as English."""
    return [stem(text[start:end].casefold()) for start, end in spans.tolist()]
