"""A deterministic encoder and vocabulary: words are tokens, a word's hash is its vector and id; and documents."""

import hashlib
import re
import zlib

import numpy as np

from retrieval.types import Document, Tokens, TokenVectors
from tests.support.searches import by_tokens, by_words


class HashEncoder:
    """Each word's vector depends on the word alone, so equal words match exactly."""

    dim = 16
    max_tokens = 500
    fingerprint = "hash-16"

    def tokenize(self, texts):
        tokenized = []
        for text in texts:
            found = list(re.finditer(r"\w+|[^\w\s]", text))
            ids = [int(hashlib.sha256(one[0].lower().encode()).hexdigest()[:6], 16) for one in found]
            offsets = np.array([one.span() for one in found], np.int32).reshape(-1, 2)
            tokenized.append(Tokens(np.array(ids, np.int32), offsets))
        return tokenized

    def encode_passages(self, texts):
        return [TokenVectors(self._vectors(one.ids), one.ids, one.offsets) for one in self.tokenize(texts)]

    encode_queries = encode_passages

    def _vectors(self, ids):
        vectors = np.zeros((len(ids), self.dim), np.float32)
        for row, one in enumerate(ids):
            vectors[row] = np.random.default_rng(int(one)).standard_normal(self.dim)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


class WordVocabulary:
    def named(self, fingerprint):
        return self

    size = 1000
    fingerprint = "words-1000"

    def tokenize(self, texts):
        return [Tokens(one.ids % (self.size - 1), one.offsets) for one in HashEncoder().tokenize(texts)]


MODELS = {"encoder": HashEncoder(), "vocabulary": WordVocabulary()}
OTTERS = [Document(f"old-{at}", f"An otter number {at} eats fish.", metadata={"at": at}) for at in range(4)]


def ids(collection, query="otter", filter=None):  # noqa: A002
    """The documents whose words the query has, which token vectors must find as well."""
    with collection.snapshot() as snapshot:
        selection = snapshot.allowed(filter)
        vectors = HashEncoder().encode_queries([query])[0].vectors
        lexical = by_words(snapshot, query, selection=selection)
        tokens = by_tokens(snapshot, vectors, selection=selection, limit=1000, k_tokens=10_000, refine=0)
        found = {snapshot.passage(int(number)).document_id for number in lexical.numbers}
        assert found <= {snapshot.passage(int(number)).document_id for number in tokens.numbers}
        assert len(tokens) <= selection.count
        return found


class TopicEncoder(HashEncoder):
    """Fast enough for many documents: words of a topic are alike, a word's own part comes from a table."""

    dim = 32
    fingerprint = "topics-32"

    def __init__(self):
        table = np.random.default_rng(0).standard_normal((4096, self.dim)).astype(np.float32)
        self._table = table / np.linalg.norm(table, axis=1, keepdims=True)

    def tokenize(self, texts):
        tokenized = []
        for text in texts:
            spans, ids, at = [], [], 0
            for word in text.split():
                start = text.index(word, at)
                at = start + len(word)
                spans.append((start, at))
                ids.append(zlib.crc32(word.encode()) & 0x7FFFFFFF)
            offsets = np.array(spans, np.int32).reshape(-1, 2)
            tokenized.append(Tokens(np.array(ids, np.int32), offsets))
        return tokenized

    def _vectors(self, ids):
        # Three rows of the table each: two words seldom share more than one.
        vectors = self._table[ids % 4096] + self._table[ids // 4096 % 4096] + self._table[ids // 2**24 % 128]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def encode_passages(self, texts):
        return [TokenVectors(self._vectors(one.ids), one.ids, one.offsets) for one in self.tokenize(texts)]

    encode_queries = encode_passages


def topic_text(number, edition=0):
    """Words that only this document has, among those of its topic; a fixed length."""
    rng = np.random.default_rng([number, edition])
    topic = number % 50
    words = [f"own{number}x{edition}a", f"own{number}x{edition}b"]
    words += [f"topic{topic}w{one}" for one in rng.integers(0, 40, 10)]
    return " ".join(words)


def topic_documents(numbers, edition=0):
    return [Document(f"d{number}", topic_text(number, edition)) for number in numbers]
