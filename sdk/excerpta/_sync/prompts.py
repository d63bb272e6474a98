# Written by sdk/tools/generate_sync.py from _async/prompts.py; change that file instead.

"""Prompts: your own texts, which answers are generated with."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ..types import PromptList, PromptModule, PromptReply
from .http import Http


class Prompts:
    """The server's prompts; `plan={"context": {"prompt": {"name": ...}}}` writes an answer with one."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def put(self, name: str, modules: Iterable[PromptModule | dict[str, Any]]) -> PromptReply:
        """Makes a prompt of these modules, in order, or replaces it.

        A module is a `name`, a `text`, and the most tokens of each parameter: `{"who": 8}` for a `{who}`.
        """
        body = {"modules": list(modules)}
        return self._http.call(PromptReply, "PUT", _path(name), body=body, retry=True)

    def get(self, name: str) -> PromptReply:
        """One prompt by its name; NotFound when there is none."""
        return self._http.call(PromptReply, "GET", _path(name), retry=True)

    def list(self) -> builtins.list[PromptReply]:
        """All prompts, by name."""
        return (self._http.call(PromptList, "GET", "/v1/prompts", retry=True)).prompts

    def delete(self, name: str) -> PromptReply:
        """Deletes a prompt and returns it. Raises NotFound if there is none."""
        return self._http.call(PromptReply, "DELETE", _path(name))


def _path(name: str) -> str:
    return f"/v1/prompts/{quote(name, safe='')}"
