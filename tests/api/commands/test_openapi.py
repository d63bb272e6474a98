"""The OpenAPI document is complete, and its page loads nothing from elsewhere."""

from importlib.resources import files

import msgspec

from api.commands import openapi

OTHERS_FORM = ("/v1/chat/completions", "/v1/models/{model}", "/v2/rerank")
"""Paths whose errors have OpenAI's form, or Cohere's."""


def test_importing_opens_nothing_and_the_openapi_document_is_complete(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = msgspec.json.decode(openapi.rendered())
    assert list(tmp_path.iterdir()) == []
    names = [spec["operationId"] for methods in document["paths"].values() for spec in methods.values()]
    assert len(names) == len(set(names))
    assert {"query", "search", "chat_completions", "upload_files", "list_sources"} <= set(names)
    for path, methods in document["paths"].items():
        for spec in methods.values():
            assert spec["description"], path
            assert spec["tags"], path
            for status, reply in spec["responses"].items():
                if int(status) >= 400:
                    form = "json" if path in OTHERS_FORM else "problem+json"
                    assert list(reply["content"]) == [f"application/{form}"], (path, status)
            if not path.startswith("/health"):
                assert {"401", "500", "503"} <= set(spec["responses"]), path
    assert set(document["paths"]["/v1/query"]["post"]["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }


def test_the_documentation_needs_no_other_server():
    page = (files("api.playground") / "docs.html").read_text("utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "innerHTML" not in page
