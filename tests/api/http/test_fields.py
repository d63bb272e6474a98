"""The names that a request may have, at each place in it."""

from api.http.fields import allowed_at


def test_allowed_names_are_found_at_any_depth():
    from excerpta.types import DocumentsRequest, QueryRequest

    assert allowed_at(DocumentsRequest, "documents[0]", fields=True) == ["id", "text", "title", "metadata"]
    assert allowed_at(QueryRequest, "no.such.place", fields=True) == []
