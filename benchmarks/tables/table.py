"""A table with questions: each question has the row and the cell that answer it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Row: TypeAlias = dict[str, str]
"""A row's cells by their columns' names."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer is the cell of `column` in one row, counted from 0."""

    text: str
    row: int
    column: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A way to ask for the cell of `column` in a row."""

    column: str
    text: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a file. The name's ending says which kind of file."""

    file: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    asked: Sequence[Asked]

    def first(self, count: int) -> Table:
        """The table with so many of its rows."""
        return Table(self.file, self.title, self.columns, self.rows[:count], self.asked)

    def questions(self, count: int, chance: random.Random) -> list[Question]:
        """Questions about different rows, each way of asking equally often; only those with one answer."""
        found = []
        left = list(range(len(self.rows)))
        chance.shuffle(left)
        for number in range(count):
            asked = self.asked[number % len(self.asked)]
            texts = Counter(map(asked.text, self.rows))
            row = next(
                at for at in left if self.rows[at][asked.column] and texts[asked.text(self.rows[at])] == 1
            )
            left.remove(row)
            found.append(Question(asked.text(self.rows[row]), row, asked.column))
        return found
