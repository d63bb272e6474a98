"""The part of the OpenAPI document that routes declare: the problems they may answer with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from excerpta.types import Problem
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType

from api.compat.cohere_types import CohereError
from api.compat.openai_types import OpenAIError
from api.http.problems import MEDIA_TYPE

_MEANINGS = {
    400: "The request cannot be read.",
    401: "An API key is needed.",
    403: "The API key has none of the scopes that this needs.",
    404: "What the address names is not there.",
    409: "It clashes with what is there.",
    413: "The request is too large.",
    422: "The request has an invalid value. `errors` or the other members name it.",
    500: "The service failed.",
    503: "The service is busy or not ready. `Retry-After` has the seconds to wait before trying again.",
}
_EVERYWHERE = (400, 401, 403, 500, 503)
"""The statuses that every route with a key may answer with."""


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems of a route: the given ones, and those that every route has."""
    return {status: _spec(status) for status in sorted({*statuses, *_EVERYWHERE})}


def public_problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems of a route that needs no key and reads no body."""
    return {status: _spec(status) for status in sorted({*statuses, 400, 500})}


def openai_problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The errors of a route in OpenAI's form."""
    return {status: answered(OpenAIError, _MEANINGS[status]) for status in sorted({*statuses, *_EVERYWHERE})}


def cohere_problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The errors of a route in Cohere's form."""
    return {status: answered(CohereError, _MEANINGS[status]) for status in sorted({*statuses, *_EVERYWHERE})}


def _spec(status: int) -> ResponseSpec:
    return ResponseSpec(
        data_container=Problem,
        media_type=MEDIA_TYPE,
        description=_MEANINGS[status],
        generate_examples=False,
    )


def answered(container: Any, description: str, media_type: str = "application/json") -> ResponseSpec:
    """A reply that a route makes by hand."""
    return ResponseSpec(
        data_container=container, media_type=media_type, description=description, generate_examples=False
    )


@dataclass
class StreamedOperation(Operation):
    """An operation that answers with JSON, or with server-sent events where the request asks for them."""

    def __post_init__(self) -> None:
        """Adds the second form of the reply."""
        reply = (self.responses or {}).get("200")
        if isinstance(reply, OpenAPIResponse) and reply.content is not None:
            reply.content["text/event-stream"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
