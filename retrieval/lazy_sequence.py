"""Lazy sequences: each item is computed again at every access, and none is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")
Pause = Callable[[], None]
"""Called now and then during long work: it may sleep, so that the work goes slowly, or raise, to stop it."""

_ITEMS_A_PAUSE = 32


class LazySequence(Sequence[T]):
    """The items `make(0)` to `make(length - 1)`; there is a pause after every few of them."""

    def __init__(self, length: int, make: Callable[[int], T], pause: Pause | None = None) -> None:
        self._length = length
        self._make = make
        self._pause = pause
        self._made = 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            return [self._item(one) for one in range(*at.indices(self._length))]
        return self._item(range(self._length)[at])

    def __iter__(self) -> Iterator[T]:
        return map(self._item, range(self._length))

    def _item(self, at: int) -> T:
        self._made += 1
        if self._pause is not None and self._made % _ITEMS_A_PAUSE == 0:
            self._pause()
        return self._make(at)
