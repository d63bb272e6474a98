"""A question that is longer than search can read, read in part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from base.text.sentences import sentences
from base.text.stop_words import english
from base.text.terms import terms_of

Count = Callable[[Sequence[str]], Sequence[int]]
"""The number of tokens of each text."""

_WORDS_TRIED = 4096
_QUESTION_SIGNS = ("?", "？", "؟", "\u037e")


@dataclass(frozen=True, slots=True)
class FittedQuestion:
    """The part of a question that is read, of its `tokens` at most `limit`."""

    text: str
    tokens: int
    limit: int

    @property
    def cut(self) -> bool:
        """Whether something was left out."""
        return self.tokens > self.limit

    @property
    def warning(self) -> str:
        """What the reply says about it."""
        return (
            f"the question has {self.tokens} tokens, and search reads at most {self.limit}: it was read in "
            "part, its questions and its last sentence first, then sentences with the words it repeats most"
        )


def fit(text: str, limit: int, count: Count) -> FittedQuestion:
    """The question within `limit` tokens: sentences that ask, the last one, then those with its topic.

    A sentence that is too long by itself gives the words that the question repeats most. Order is kept.

    >>> long = "The hall was cold. We met there. Who pays for the hall? Thank you."
    >>> fit(long, 9, lambda texts: [len(one.split()) for one in texts]).text
    'Who pays for the hall? Thank you.'
    """
    (tokens,) = count([text])
    if tokens <= limit:
        return FittedQuestion(text, tokens, limit)
    parts = [text[one.start : one.end].strip() for one in sentences(text)]
    parts = [part for part in parts if part]
    chosen = _taken(parts, _by_use(parts), limit, count)
    if not chosen:
        words = parts[_by_use(parts)[0]].split() if parts else text.split()
        words = words[-_WORDS_TRIED:]
        chosen = _taken(words, _by_repetition(words), limit, count)
    fitted = " ".join(chosen)
    while fitted and count([fitted])[0] > limit:  # the parts may have more tokens together than apart
        fitted = fitted[: -max(1, len(fitted) // 20)]
    return FittedQuestion(fitted or _beginning(text, limit, count), tokens, limit)


def _taken(parts: Sequence[str], order: Sequence[int], limit: int, count: Count) -> list[str]:
    """The parts that have `limit` tokens together, chosen by `order`; in the order of the text."""
    sizes = count(parts)
    taken: list[int] = []
    left = limit
    for at in order:
        if sizes[at] <= left:
            taken.append(at)
            left -= sizes[at]
    return [parts[at] for at in sorted(taken)]


def _by_use(parts: Sequence[str]) -> list[int]:
    """Sentences from the one most needed: questions, the last one, then by their words."""
    weights = _weights(" ".join(parts))
    last = len(parts) - 1

    def place(at: int) -> tuple[int, float, int]:
        asks = parts[at].rstrip("\"'”’)»").endswith(_QUESTION_SIGNS)
        terms = set(terms_of(parts[at]))
        mean = sum(weights[term] for term in terms) / (len(terms) or 1)
        return (0 if asks else 1 if at == last else 2, 0.0 if asks else -mean, -at)

    return sorted(range(len(parts)), key=place)


def _by_repetition(words: Sequence[str]) -> list[int]:
    """Words from the one repeated most, each once where it stands first; common ones come last."""
    weights = _weights(" ".join(words))
    first: dict[str, int] = {}
    for at, word in enumerate(words):
        first.setdefault(word.casefold(), at)

    def place(at: int) -> tuple[float, int]:
        return (-max((weights[term] for term in terms_of(words[at])), default=0.0), at)

    return sorted(first.values(), key=place)


def _weights(text: str) -> Counter[str]:
    """How often each term stands in a text, common words left out."""
    common = {term for word in english().asking | english().common for term in terms_of(word)}
    return Counter(term for term in terms_of(text) if term not in common)


def _beginning(text: str, limit: int, count: Count) -> str:
    """As much of the beginning as fits, for a text without words or sentences."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count([text[:middle]])[0] <= limit else (low, middle - 1)
    return text[:low]
