"""Guesses the encoding of text that names none: which reading of the bytes looks most like a language.

charset-normalizer tells the encodings of Chinese, Japanese and Korean apart. Among those with one byte a
letter it often takes French for Slovak, so the letters of each language decide there.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from itertools import pairwise

from charset_normalizer import from_bytes

from retrieval.corpus.cleaning.alphabets import ALPHABETS

_EAST = ("gb18030", "big5", "cp932", "euc_jp", "cp949")
_SAMPLE = 20_000
_TYPOGRAPHIC = frozenset("“”„‘’‚–—…«»€£°§•\u00a0±×%·©®™´¿¡№½²³µ")
# Letters and signs where no language has them: a capital after a small letter, a sign within a word, and a
# letter by itself that is no word.
_IN_A_WORD = re.compile(r"(?<=[^\W\d_])[“”„‚…«»€£§•±×%©®™´¿¡½²³¹µ\ufffd](?=[^\W\d_])")
_ALONE = re.compile(r"(?<![^\W\d_])[\u00c0-\u024f](?![^\W\d_])")
_WORDS = frozenset("àèéóòáåöíúÀÉÈÁÓÅÖ×÷")
_FOREIGN, _SYMBOL, _MARK = -7.0, -8.0, -3.5
_EAST_LETTERS = re.compile(r"[\u3400-\u9fff\uac00-\ud7a3]")
_EAST_MARKS = frozenset("、。，；：？！「」（）《》“”・")
# First bytes of the characters that each standard puts first since they are the frequent ones.
_COMMON = {
    "gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp932": (0x88, 0x97), "euc_jp": (0xB0, 0xCF),
    "cp949": (0xB0, 0xC8),
}  # fmt: skip
_LEAST_SHARE = 0.8
# An encoding that is seldom met must look better by so much than a common one.
_HANDICAP = {"cp1252": 0, "cp1251": 0, "cp1250": 0, "cp1253": 0, "cp1255": 0, "cp1256": 0} | dict.fromkeys(
    ["cp1254", "iso8859-2", "iso8859-7", "koi8-r", "koi8-u", "cp866", "mac-cyrillic"], 0.1
)
_UNUSUAL = 0.4
_GREEK = "\u0370"


def guess(data: bytes) -> tuple[str, str]:
    """The most likely encoding of the bytes, and the text; bytes that it lacks are replacement characters.

    >>> guess("Größe und Maß".encode("cp1252"))
    ('cp1252', 'Größe und Maß')
    """
    sample = _whole_lines(data)
    single, score = _best_alphabet(sample)
    east = _east(sample)
    encoding = east if east and (score < -4.5 or _mostly_high(sample)) and not _is_letters(score) else single
    return encoding, data.decode(encoding, "replace")


def _whole_lines(data: bytes) -> bytes:
    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE and b"\n" in sample:
        sample = sample[: sample.rindex(b"\n")]
    return sample


def _is_letters(score: float) -> bool:
    return score > -3.6


def _mostly_high(sample: bytes) -> bool:
    letters = sum(1 for byte in sample if byte > 0x7F or chr(byte).isalpha())
    return sum(byte > 0x7F for byte in sample) > 0.5 * letters


def _best_alphabet(sample: bytes) -> tuple[str, float]:
    best, most = "cp1252", -math.inf
    readings = {}
    for language, alphabet in ALPHABETS.items():
        for encoding in alphabet.encodings:
            if encoding not in readings:
                readings[encoding] = _reading(sample, encoding)
            score = _score(readings[encoding], language) - _HANDICAP.get(encoding, _UNUSUAL)
            if score > most:
                best, most = encoding, score
    return best, most


def _reading(sample: bytes, encoding: str) -> tuple[Counter[str], int]:
    """How often each character outside ASCII is read, and how many stand where no language has them."""
    text = sample.decode(encoding, "replace")
    signs = Counter(character for character in text if character > "\x7f")
    return signs, _odd_pairs(text) + len(_IN_A_WORD.findall(text)) + _alone(text)


def _odd_pairs(text: str) -> int:
    """How often a capital follows a small letter, or a letter one of another script; not both ASCII."""
    pairs = Counter(pair for pair in pairwise(text) if max(pair) > "\x7f")
    return sum(count for (one, two), count in pairs.items() if _is_odd(one, two))


def _is_odd(one: str, two: str) -> bool:
    if not (one.isalpha() and two.isalpha()):
        return False
    return (
        (one.islower() and two.isupper())
        or (one.isascii() and two >= _GREEK)
        or (two.isascii() and one >= _GREEK)
    )


def _alone(text: str) -> int:
    return sum(1 for letter in _ALONE.findall(text) if letter not in _WORDS)


def _score(reading: tuple[Counter[str], int], language: str) -> float:
    """Mean log-likelihood of a character outside ASCII, by its rank in the language's letters."""
    signs, spoilt = reading
    ranks = _likelihoods(language)
    total = sum(count * _likelihood(sign, ranks) for sign, count in signs.items())
    return (total - 5 * spoilt) / max(1, signs.total())


def _likelihood(sign: str, ranks: dict[str, float]) -> float:
    if sign in ranks:
        return ranks[sign]
    if (lower := sign.lower()) != sign and lower in ranks:
        return ranks[lower] - 1.5
    if sign in _TYPOGRAPHIC:
        return _MARK
    return _FOREIGN if sign.isalpha() else _SYMBOL


@cache
def _likelihoods(language: str) -> dict[str, float]:
    letters = ALPHABETS[language].letters
    weights = [1 / (rank + 2) for rank in range(len(letters))]
    return {letter: math.log(weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)}


def _east(sample: bytes) -> str:
    """The encoding of Chinese, Japanese or Korean, "" if it is none of them."""
    readings = {encoding: sample.decode(encoding, "replace") for encoding in _EAST}
    shares = {encoding: _common_share(text, encoding) for encoding, text in readings.items()}
    best = max(shares, key=shares.__getitem__)
    if shares[best] < _LEAST_SHARE:
        return ""
    # Several fit alike: Korean syllables have the bytes of Chinese characters.
    alike = [encoding for encoding in _EAST if shares[encoding] > shares[best] - 0.1]
    if len(alike) > 1:
        whole = readings[best].replace("\ufffd", "").encode(best, "ignore")
        found = from_bytes(whole, cp_isolation=alike).best()
        return found.encoding if found is not None and found.encoding in alike else best
    return best


def _common_share(text: str, encoding: str) -> float:
    """Share of the characters outside ASCII that are common: kana, and what the first byte says is common."""
    signs = Counter(sign for sign in text if sign > "\x7f")
    first, last = _COMMON[encoding]
    common = sum(
        count
        for sign, count in signs.items()
        if "\u3040" <= sign < "\u3100"
        or sign in _EAST_MARKS
        or (_EAST_LETTERS.match(sign) and first <= sign.encode(encoding)[0] <= last)
    )
    return common / max(1, signs.total())
