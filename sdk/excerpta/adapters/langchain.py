"""LangChain: a document compressor that shortens documents by quoting them.

Needs the extra `excerpta[langchain]`.

>>> from excerpta import Client
>>> from excerpta.adapters.langchain import ExcerptaCompressor
>>> compressor = ExcerptaCompressor(client=Client("http://localhost:8000"))  # doctest: +SKIP
>>> compressor.compress_documents(documents, "Who approves trips?")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import run_in_executor
from pydantic import ConfigDict, model_validator

from .. import AsyncClient, Client
from ..types.compress import CompressMethod
from ..types.stages import CompressReply

__all__ = ["ExcerptaCompressor"]


class ExcerptaCompressor(BaseDocumentCompressor):
    """Cuts all documents together to `target_tokens`, each to spans of its own text.

    A document keeps its id, its metadata with scores in it, and its place. One without any text left is
    dropped. `method` is a method's name or its options. With `encode` the server's encoder reads the
    documents, so that their similarity to the query counts too. Asynchronous calls use `async_client`, or
    `client` in a thread. Raises the errors of `Client.compress`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", frozen=True)

    client: Client | None = None
    async_client: AsyncClient | None = None
    target_tokens: int | None = None
    method: str | CompressMethod = "auto"
    encode: bool = False

    @model_validator(mode="after")
    def _has_a_client(self) -> ExcerptaCompressor:
        if self.client is None and self.async_client is None:
            raise ValueError("give `client`, `async_client` or both")
        return self

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The documents shortened, in their order; needs `client`."""
        if self.client is None:
            raise ValueError("a synchronous call needs `client`")
        if not documents:
            return []
        texts = [one.page_content for one in documents]
        return _shortened(
            documents,
            self.client.compress(
                texts, query=query, target_tokens=self.target_tokens, method=self.method, encode=self.encode
            ),
        )

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The same, without blocking the event loop."""
        if self.async_client is None:
            found: list[Document] = await run_in_executor(
                None, self.compress_documents, documents, query, callbacks
            )
            return found
        if not documents:
            return []
        texts = [one.page_content for one in documents]
        return _shortened(
            documents,
            await self.async_client.compress(
                texts, query=query, target_tokens=self.target_tokens, method=self.method, encode=self.encode
            ),
        )


def _shortened(documents: Sequence[Document], reply: CompressReply) -> list[Document]:
    return [
        one.model_copy(update={"page_content": short.text, "metadata": dict(one.metadata)})
        for one, short in zip(documents, reply.texts, strict=True)
        if short.text
    ]
