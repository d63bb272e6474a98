# Written by sdk/tools/generate_sync.py from _async/keys.py; change that file instead.

"""API keys of the server, for those whose own key has the scope `admin`."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from urllib.parse import quote

from ..types import KeyList, KeyReply, NewKeyReply
from .http import Http


class Keys:
    """The server's API keys: `client.keys.create("site", ["search"]).key` is shown only once."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(
        self, name: str, scopes: Iterable[str], *, expires_in_s: int | None = None
    ) -> NewKeyReply:
        """Makes a key with these scopes: `search`, `answer`, `write`, `admin`."""
        body = {"name": name, "scopes": list(scopes), "expires_in_s": expires_in_s}
        return self._http.call(NewKeyReply, "POST", "/v1/keys", body=body)

    def list(self) -> builtins.list[KeyReply]:
        """All keys, oldest first; without the keys themselves."""
        return (self._http.call(KeyList, "GET", "/v1/keys", retry=True)).keys

    def revoke(self, key_id: str) -> KeyReply:
        """Revokes the key of this id and returns it. Raises NotFound if there is none."""
        return self._http.call(KeyReply, "DELETE", f"/v1/keys/{quote(key_id, safe='')}")
