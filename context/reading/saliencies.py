"""How likely passages make a question, read once a passage: for ranking, superposition and the next time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from context.prefix_store import BlockKey


class Saliencies:
    """The last `capacity` mean log-probabilities of a question after a passage.

    The key of a passage's block tells the model, the salt, the prefix and the passage; beside it stand the
    token ids that were read after it. So no caller sees what another's question left.

    >>> known = Saliencies()
    >>> key = BlockKey("model", "salt", "document", "passage")
    >>> known.of([key], [5, 7], lambda missing: [-2.5]), known.of([key], [5, 7], lambda missing: [])
    ([-2.5], [-2.5])
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._known: OrderedDict[tuple[BlockKey, tuple[int, ...]], float] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self,
        keys: Sequence[BlockKey],
        read: Sequence[int],
        measure: Callable[[Sequence[int]], Sequence[float]],
    ) -> list[float]:
        """One number a passage. `measure` is given the places of those that are not known."""
        wanted = [(key, tuple(read)) for key in keys]
        with self._lock:
            found = {one: self._known[one] for one in wanted if one in self._known}
        missing = [at for at, one in enumerate(wanted) if one not in found]
        if missing:
            found.update(zip([wanted[at] for at in missing], measure(missing), strict=True))
        with self._lock:
            for one in wanted:
                self._known[one] = found[one]
                self._known.move_to_end(one)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return [found[one] for one in wanted]

    def forget(self) -> None:
        """Forgets all of them."""
        with self._lock:
            self._known.clear()
