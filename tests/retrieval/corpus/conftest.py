"""A small tokenizer whose tokens anyone can count: words, and each other character that is not a space."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.types import Tokens
from tests.support import file_makers

_TOKEN = re.compile(r"[^\W_]{1,6}|[^\s\u200b]")


def word_tokens(texts: Sequence[str]) -> list[Tokens]:
    """Words in parts of six letters; an emoji outside the basic plane counts twice, as in byte vocabularies."""
    result = []
    for text in texts:
        spans = [found.span() for found in _TOKEN.finditer(text)]
        spans = [span for span in spans for _ in range(1 + (text[span[0]] > "\uffff"))]
        offsets = np.array(spans, np.int32).reshape(-1, 2)
        result.append(Tokens(np.arange(len(offsets), dtype=np.int32), offsets))
    return result


@pytest.fixture(scope="session")
def tokenize():
    return word_tokens


@pytest.fixture(scope="session")
def make():
    """The functions that make files: `make.pdf("line")`, `make.word(...)`, `make.archive({...})`."""
    return file_makers
