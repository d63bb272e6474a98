"""The client: one server, its collections, jobs, prompts and stages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from .._local import LocalServer
from .._retry import RetryPolicy
from .._version import __version__
from ..types import CompressReply, MethodList, MethodOptions, ModelList, StatsReply
from .collections import AsyncCollections
from .http import AsyncHttp
from .jobs import AsyncJobs
from .keys import AsyncKeys
from .prompts import AsyncPrompts

DEFAULT_URL = "http://127.0.0.1:8000"


class AsyncClient:
    """Talks to an Excerpta server.

    `url` and `api_key` default to EXCERPTA_URL and EXCERPTA_API_KEY. `timeout` bounds a whole call in
    seconds, retries included. `transport` takes any httpx2 transport, for tests and proxies.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        retry: RetryPolicy | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        key = api_key or os.environ.get("EXCERPTA_API_KEY")
        headers = {"User-Agent": f"excerpta-python/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.url = (url or os.environ.get("EXCERPTA_URL") or DEFAULT_URL).rstrip("/")
        self._server: LocalServer | None = None
        self._http = AsyncHttp(
            httpx2.AsyncClient(base_url=self.url, headers=headers, transport=transport),
            timeout=timeout,
            retry=retry or RetryPolicy(),
        )
        self.collections = AsyncCollections(self._http)
        self.jobs = AsyncJobs(self._http)
        self.prompts = AsyncPrompts(self._http)
        self.keys = AsyncKeys(self._http)

    @classmethod
    def local(cls, path: str | Path, *, profile: str | None = None, timeout: float = 600.0) -> AsyncClient:
        """A client of a server inside this process, over the data directory `path`.

        Needs the server's distribution. Otherwise raises ServerNotInstalled with the command to install it.
        """
        server = LocalServer.start(str(path), profile)
        client = cls("http://local", timeout=timeout, transport=server.async_transport())
        client._server = server
        return client

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def http_client(self) -> httpx2.AsyncClient:
        """The HTTP client of this one, for libraries that take one; it is closed with this one.

        `OpenAI(base_url=f"{client.url}/v1", api_key="none", http_client=client.http_client)` asks the same
        server, also where it is in this process.
        """
        return self._http.client

    async def close(self) -> None:
        """Closes the connections, and the server where it is in this process."""
        await self._http.close()
        if self._server is not None:
            self._server.stop()

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        top_n: int | None = None,
        method: str | MethodOptions | None = None,
    ) -> list[dict[str, Any]]:
        """Ranks texts without a collection: `[{"index", "relevance_score"}]`, best first.

        `method` is a method's name, or its options: `excerpta.types.rerank.First(window=10)`. All texts are
        ranked, whatever the options' `limit` is.
        """
        body: dict[str, Any] = {"query": query, "documents": list(documents)}
        if isinstance(method, str):
            body["model"] = method
        elif method is not None:
            body["options"] = msgspec.to_builtins(method)
            body["model"] = body["options"].pop("method")
            del body["options"]["limit"]
        if top_n is not None:
            body["top_n"] = top_n
        reply = await self._http.call(dict[str, Any], "POST", "/v1/rerank", body=body, retry=True)
        return list(reply["results"])

    async def compress(
        self,
        texts: Sequence[str],
        *,
        query: str = "",
        target_tokens: int | None = None,
        method: str | MethodOptions = "auto",
        encode: bool = False,
    ) -> CompressReply:
        """Shortens texts to a common budget of tokens; the reply has the kept spans of each text.

        `method` is a method's name, or its options: `excerpta.types.compress.Lexical(window=9)`.
        `target_tokens` overrides that of the options. With `encode` the server's encoder reads the texts, so
        that their similarity to the query counts too.
        """
        body: dict[str, Any] = {"texts": list(texts), "query": query, "encode": encode}
        if isinstance(method, str):
            body["method"] = method
        else:
            body["options"] = msgspec.to_builtins(method)
            body |= {name: body["options"].pop(name) for name in ("method", "target_tokens")}
            del body["options"]["when"]
        if target_tokens is not None:
            body["target_tokens"] = target_tokens
        return await self._http.call(CompressReply, "POST", "/v1/compress", body=body, retry=True)

    async def models(self) -> ModelList:
        """The profile's models with their source, size, fingerprint and licence."""
        return await self._http.call(ModelList, "GET", "/v1/models", retry=True)

    async def methods(self) -> MethodList:
        """The methods of every stage with their options, and what the server lacks for them."""
        return await self._http.call(MethodList, "GET", "/v1/methods", retry=True)

    async def stats(self) -> StatsReply:
        """Contents and counters of the server's process: the prefix store, tier by tier."""
        return await self._http.call(StatsReply, "GET", "/v1/stats", retry=True)

    async def ready(self) -> bool:
        """Whether the server is up and can answer."""
        try:
            await self._http.call(dict[str, Any], "GET", "/health/ready")
        except Exception:
            return False
        return True
