"""JSON schemas of what follows from the catalogues: the methods' options, and a hit's explanation."""

from __future__ import annotations

from typing import Any

import msgspec
from excerpta.types import TokenMatrix

from api.query.catalogues import CATALOGUES
from base.methods import TAG, Method
from retrieval.catalogue import METHODS as RETRIEVERS

_AT = "#/components/schemas/"


def options_schema(method: Method[Any, Any]) -> dict[str, Any]:
    """The schema of a method's options. The tag may be left out: then the plan below names the method."""
    _, components = msgspec.json.schema_components([method.options])
    schema: dict[str, Any] = components.pop(method.options.__name__)
    schema["required"] = [name for name in schema.get("required", []) if name != TAG]
    if not schema["required"]:
        del schema["required"]
    schema["title"] = method.name
    return schema


def component(stage: str, method: Method[Any, Any]) -> str:
    """The name of the schema in the OpenAPI document: methods of two stages may share a name.

    >>> from rerank import CATALOGUE
    >>> component("rerank", CATALOGUE["auto"])
    'RerankLikelihood'
    """
    return stage.rpartition(".")[2].title() + method.options.__name__


def with_methods(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with one schema a method in the place of a stage's options."""
    document = _unions(document)
    schemas = document.get("components", {}).get("schemas", {})
    if "PlanOptions" not in schemas:  # a worker answers no queries
        return document
    for stage, catalogue in CATALOGUES.items():
        names = {name: component(stage, method) for name, method in catalogue.items()}
        schemas |= {names[name]: options_schema(method) for name, method in catalogue.items()}
        _property(schemas, stage).update(
            _one_of(list(names.values()), stage in ("rewrite", "rerank", "compress"))
        )
    names = {name: component("retrieve", method) for name, method in RETRIEVERS.items()}
    schemas |= {names[name]: options_schema(method) for name, method in RETRIEVERS.items()}
    retrieve = _property(schemas, "retrieve")
    retrieve |= {"type": "object", "additionalProperties": False}
    retrieve["properties"] = {name: _one_of([schema], nullable=True) for name, schema in names.items()}
    _, matrix = msgspec.json.schema_components([TokenMatrix])
    schemas |= {"Explain": _explain_schema()} | matrix
    schemas["Hit"]["properties"]["explain"] = _one_of(["Explain"], nullable=True)
    return document


def _unions(schema: Any) -> Any:
    """A schema whose unions are met by any of their members: 0 is an integer, and a number as well."""
    if isinstance(schema, dict):
        return {"anyOf" if key == "oneOf" else key: _unions(value) for key, value in schema.items()}
    return [_unions(value) for value in schema] if isinstance(schema, list) else schema


def _explain_schema() -> dict[str, Any]:
    """The schema of a hit's `explain`: rows by retriever, and what the other stages say."""
    rows = {
        "type": "array",
        "items": {"type": "array"},
        "description": "A row for each match; it ends with the characters where the match starts and ends.",
    }
    span = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}]}
    stages = {
        "rank": {"type": "object", "additionalProperties": {"type": "integer"}},
        "kept": {"anyOf": [{"type": "array", "items": span}, {"type": "null"}]},
        "matrix": _one_of([TokenMatrix.__name__], nullable=True),
    }
    return {"title": "Explain", "type": "object", "properties": dict.fromkeys(RETRIEVERS, rows) | stages}


def _property(schemas: dict[str, Any], stage: str) -> dict[str, Any]:
    """The schema of a stage's options inside the plan's, emptied of what it was."""
    owner, _, name = stage.rpartition(".")
    place: dict[str, Any] = schemas[{"": "PlanOptions", "context": "ContextOptions"}[owner]]
    found: dict[str, Any] = place["properties"][name]
    for key in set(found) - {"description", "title"}:
        del found[key]
    return found


def _one_of(names: list[str], nullable: bool) -> dict[str, Any]:
    kinds: list[dict[str, str]] = [{"$ref": _AT + name} for name in names]
    return {"anyOf": [*kinds, {"type": "null"}] if nullable else kinds}
