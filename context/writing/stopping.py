"""Ends a text before the first of the given stop texts, while it is still being written."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Passes a text on up to the first stop text. The cuts between the pieces do not affect the result.

    >>> until = StopFilter(["END"])
    >>> until.feed("It is so. E"), until.feed("ND Or not."), until.found
    ('It is so. ', '', True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.found = False

    def feed(self, delta: str) -> str:
        """The text that no stop text can begin in any more; "" once one was found."""
        if self.found:
            return ""
        text = self._held + delta
        places = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        keep = max((self._begun(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """The rest, where no stop text was found."""
        rest, self._held = self._held, ""
        return rest

    @staticmethod
    def _begun(text: str, stop: str) -> int:
        """How many characters at the end of `text` are the beginning of `stop`."""
        most = min(len(text), len(stop) - 1)
        return next((size for size in range(most, 0, -1) if text.endswith(stop[:size])), 0)
