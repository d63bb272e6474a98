"""The compressor for LangChain: ids, metadata, scores and order stay, texts are cut."""

from __future__ import annotations

import json

import httpx2
import msgspec
import pytest
from excerpta import AsyncClient, Client
from excerpta.types.compress import Lexical
from excerpta.types.stages import CompressedText, CompressReply

pytest.importorskip("langchain_core", reason="run by `make test-adapters`, in an environment with LangChain")

from excerpta.adapters.langchain import ExcerptaCompressor
from langchain_core.documents import Document


class Server:
    """Keeps the first word of each text; remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, request):
        body = json.loads(request.content)
        self.asked.append(body)
        texts = [
            CompressedText(
                text=" ".join(text.split()[:1]),
                kept=[(0, len("".join(text.split()[:1])))],
                tokens_before=9,
                tokens_after=1,
            )
            for text in body["texts"]
        ]
        reply = CompressReply(id="c1", method="lexical", texts=texts, timings_ms={})
        return httpx2.Response(200, content=msgspec.json.encode(reply))

    async def answer(self, request):
        return self(request)


DOCUMENTS = [
    Document(id="b", page_content="In 2020 it rose to 45", metadata={"score": 0.5, "page": 3}),
    Document(page_content=" ", metadata={"score": 0.4}),
    Document(id="a", page_content="<#ref1#> 3 apples", metadata={}),
]
KEPT = [
    ("b", "In", {"score": 0.5, "page": 3}),
    ("a", "<#ref1#>", {}),
]


def facts(documents):
    return [(one.id, one.page_content, one.metadata) for one in documents]


def test_documents_keep_what_they_are():
    server = Server()
    with Client("http://test", transport=httpx2.MockTransport(server)) as client:
        compressor = ExcerptaCompressor(
            client=client, target_tokens=20, method=Lexical(window=9), encode=True
        )
        assert facts(compressor.compress_documents(DOCUMENTS, "how much?")) == KEPT
        assert compressor.compress_documents([], "how much?") == []
    (body,) = server.asked
    assert (body["query"], body["target_tokens"], body["encode"]) == ("how much?", 20, True)
    assert body["options"]["window"] == 9
    assert DOCUMENTS[0].page_content == "In 2020 it rose to 45"


async def test_asynchronous_calls_give_the_same():
    async with AsyncClient("http://test", transport=httpx2.MockTransport(Server().answer)) as client:
        compressor = ExcerptaCompressor(async_client=client)
        assert facts(await compressor.acompress_documents(DOCUMENTS, "how much?")) == KEPT
        assert await compressor.acompress_documents([], "") == []
        with pytest.raises(ValueError, match="needs `client`"):
            compressor.compress_documents(DOCUMENTS, "")


async def test_a_synchronous_client_serves_asynchronous_calls_in_a_thread():
    with Client("http://test", transport=httpx2.MockTransport(Server())) as client:
        found = await ExcerptaCompressor(client=client).acompress_documents(DOCUMENTS, "how much?")
        assert facts(found) == KEPT


@pytest.mark.parametrize("given", [{}, {"client": None, "rate": 0.5}])
def test_without_a_client_or_with_an_unknown_option_it_is_refused(given):
    with pytest.raises(ValueError, match=r"client|rate"):
        ExcerptaCompressor(**given)
