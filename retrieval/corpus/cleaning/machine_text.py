"""Leaves out of text what only machines read: images and keys in base64, long runs of hexadecimal digits."""

from __future__ import annotations

import re

from retrieval.corpus.remarks import Remark

_SHORTEST = 400
_DATA_URI = r"data:[\w.+-]{1,80}/[\w.+-]{1,80}(?:;[\w.+=-]{1,80}){0,4},[A-Za-z0-9+/=_%-]{64,}"
_LINES = (
    r"(?<![^\n])(?:[ \t>]{0,8}[A-Za-z0-9+/]{56,128}\n){5,}(?:[ \t>]{0,8}[A-Za-z0-9+/]{1,128}={0,2}(?![^\n]))?"
)
_RUN = rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{_SHORTEST},}}={{0,2}}"
_MACHINE_TEXT = re.compile(f"(?P<uri>{_DATA_URI})|{_LINES}|{_RUN}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F\s]+")


class MachineText:
    """Takes encoded data out of texts of one file, and counts it.

    >>> found = MachineText()
    >>> found.leave_out("Key: " + "a1B2" * 200 + " end"), found.remark("a.txt").text
    ('Key:  end', '1 run of encoded data (800 characters) was left out')
    """

    def __init__(self) -> None:
        self._runs = 0
        self._characters = 0

    def leave_out(self, text: str, *, sign: str = "") -> str:
        """The text without runs of at least 400 encoded characters, and without `data:` addresses.

        `sign` takes the place of each run that is no address.
        """
        return _MACHINE_TEXT.sub(lambda found: self._replaced(found, sign), text)

    def remark(self, name: str) -> Remark | None:
        """What was left out of the file so far; None if nothing was."""
        return left_out(name, self._runs, f" ({self._characters:,} characters)")

    def _replaced(self, found: re.Match[str], sign: str) -> str:
        if not found["uri"] and not _is_encoded(found[0]):
            return found[0]
        self._runs += 1
        self._characters += len(found[0])
        return ("" if found["uri"] else sign) + ("\n" if found[0].endswith("\n") else "")


def left_out(name: str, runs: int, size: str = "") -> Remark | None:
    """A remark about so many runs of encoded data; None for none."""
    if not runs:
        return None
    return Remark(
        name, f"{'1 run' if runs == 1 else f'{runs} runs'} of encoded data{size} {_verb(runs)} left out"
    )


def _verb(count: int) -> str:
    return "was" if count == 1 else "were"


def _is_encoded(run: str) -> bool:
    """Whether it mixes letters and digits as encoded data does, which words and lines of signs do not."""
    digits = sum(map(str.isdigit, run))
    if _HEXADECIMAL.fullmatch(run):
        return 0.3 < digits / len(run) < 0.9
    cased = any(map(str.isupper, run)) and any(map(str.islower, run))
    return cased and digits > 0.03 * len(run) and not _has_words(run)


def _has_words(run: str) -> bool:
    """Names joined by dashes or slashes have few capitals within their parts."""
    parts = re.split(r"[-/_+]", run)
    return sum(len(part) for part in parts if part.islower() or part.istitle()) > 0.6 * len(run)
