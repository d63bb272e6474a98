"""The caller: the tenant and the key of a request, and its scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

SCOPES = frozenset({"search", "answer", "write", "admin"})
"""All scopes of keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request. `key` is the id of the API key, never the key; empty without one."""

    tenant: str = "default"
    key: str = ""
    scopes: frozenset[str] = field(default=SCOPES)

    def may(self, *scopes: str) -> bool:
        """Whether the caller has one of these scopes; `admin` stands for all.

        >>> Caller(scopes=frozenset({"search"})).may("write")
        False
        """
        return "admin" in self.scopes or not self.scopes.isdisjoint(scopes)

    def salt(self, collection: str) -> str:
        """Separates the cached blocks of a collection, by its id, from those of others and other tenants.

        >>> Caller().salt("col_1")
        'default/col_1'
        """
        return f"{self.tenant}/{collection}"

    @property
    def modules_salt(self) -> str:
        """Separates the cached blocks of this tenant's prompt modules from those of other tenants.

        A collection's id never equals it: ids have a prefix.
        """
        return f"{self.tenant}/modules"

    @property
    def questions_salt(self) -> str:
        """Separates what is kept of this tenant's questions from those of other tenants."""
        return f"{self.tenant}/questions"


LOCAL = Caller()
"""The caller of requests inside this process."""
