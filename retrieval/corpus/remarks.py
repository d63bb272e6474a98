"""What a user should know about a file that was read all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """A file was read, but in part, or by a guess: `text` says which part, or what was guessed.

    `whole` is False where something that a reader would see was left out.
    """

    name: str
    text: str
    whole: bool = True


def listed(what: str, numbers: Sequence[int]) -> str:
    """Numbers in words, runs of them shortened.

    >>> listed("page", [4]), listed("page", [1, 2, 3, 7])
    ('page 4', 'pages 1 to 3, 7')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = (f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return f"{what if len(numbers) == 1 else what + 's'} {', '.join(shown)}"
