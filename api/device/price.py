"""What a request for a single stage costs, in tokens, and the budget of those that run and wait together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.errors import TooManyTokens
from base.errors import Overloaded

_CHARACTERS_A_TOKEN = 4
_FEWEST_A_BYTE = 1 / 16
_RETRY_S = 5.0


def price(query: str, texts: Sequence[str]) -> int:
    """About how many tokens a network reads for texts, each with the query, as four characters a token.

    >>> price("who?", ["a" * 400, "b" * 40])
    112
    """
    each = -(-len(query) // _CHARACTERS_A_TOKEN)
    return sum(each + -(-len(text) // _CHARACTERS_A_TOKEN) for text in texts)


class TokenBudget:
    """Tokens that requests for single stages may cost together. For the event loop's thread alone."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.taken = 0

    def check(self, tokens: int) -> None:
        """Raises TooManyTokens for more than there are at all, and Overloaded for more than are free."""
        if tokens > self.tokens:
            raise TooManyTokens(tokens, self.tokens)
        if self.taken + tokens > self.tokens:
            raise Overloaded("the budget of EXCERPTA_STAGE_TOKENS", self.taken, self.tokens, _RETRY_S)

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Holds tokens while the request runs. Raises what `check` raises."""
        self.check(tokens)
        self.taken += tokens
        try:
            yield
        finally:
            self.taken -= tokens


async def refuse_early(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuses before the body is read, by its length alone, what would be refused after it.

    Raises TooManyTokens, and Overloaded, also where the device has no place.
    """
    service = connection.app.state.service
    length = connection.headers.get("content-length", "")
    service.stage_budget.check(int(int(length) * _FEWEST_A_BYTE) if length.isdecimal() else 0)
    with service.device.admit():
        pass
