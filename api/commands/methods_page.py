"""Writes docs/methods.md, or checks that it is up to date: `python -m api.commands.methods_page [--check]`.

`excerpta methods` prints the same list.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.commands.generated import write_or_check
from api.http.method_schemas import options_schema
from api.query.catalogues import LISTED
from base.methods import TAG, Catalogue, Method

FILE = Path("docs/methods.md")
_HEAD = """# Methods

<!-- Written by `python -m api.commands.methods_page` from the catalogues; change a method's file instead. -->

A plan takes one method a stage, by its name, with the method's own options beside it:
`{"rerank": {"method": "first", "limit": 20, "window": 10}}`. An option that a method does not have is
refused. `auto` stands for the default. `excerpta methods STAGE` and `GET /v1/methods` list what a server has.
Retrievers run side by side, each under its name: `{"retrieve": {"lexical": {"limit": 50}, "ngrams": null}}`.
To add a method, see [how to add a reranker](how-to/add-a-reranker.md).
"""


def rendered() -> str:
    """The whole page: one section a stage."""
    return _HEAD + "".join(_stage(stage, catalogue) for stage, catalogue in LISTED.items())


def _stage(stage: str, catalogue: Catalogue[Any, Any]) -> str:
    lines = [
        "",
        f"## {stage}",
        "",
        "| method | what it does | needs | measured | source |",
        "|---|---|---|---|---|",
    ]
    for name, method in catalogue.items():
        called = f"`{name}`" + (" (default)" if name == catalogue.default else "")
        needs = ", ".join(f"`{need}`" for need in sorted(method.needs))
        file = method.file.replace(".", "/") + ".py"
        cells = [called, method.summary, needs, method.measured, f"{method.paper} `{file}`".strip()]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    for method in catalogue.values():
        scale = [f"`score`: {method.score_scale}", ""] if method.score_scale else []
        lines += ["", f"### {stage}: {method.name}", "", *scale, *_options(method)]
    return "\n".join(lines) + "\n"


def _options(method: Method[Any, Any]) -> Iterator[str]:
    if not method.fields:
        yield "No options."
        return
    yield "| option | default | values | |"
    yield "|---|---|---|---|"
    for name, schema in options_schema(method)["properties"].items():
        if name != TAG:
            default = msgspec.json.encode(schema.get("default")).decode()
            yield f"| `{name}` | `{default}` | {_values(schema)} | {schema.get('description', '')} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _values(schema: dict[str, Any]) -> str:
    """The values that an option takes, in words.

    >>> _values({"type": "integer", "minimum": 1, "maximum": 9})
    'integer, 1 to 9'
    >>> _values({"anyOf": [{"type": "null"}, {"type": "number", "exclusiveMinimum": 0}]})
    'null or number, above 0'
    """
    if "anyOf" in schema:
        return " or ".join(_values(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    low = f"above {above}" if above is not None else "" if least is None else f"{least}"
    high = f"to {schema['maximum']}" if "maximum" in schema else ""
    return ", ".join(part for part in (str(schema.get("type", "")), f"{low} {high}".strip()) if part)


def main(arguments: list[str]) -> int:
    """Writes or checks the file; returns the exit status (`api.commands.generated`)."""
    return write_or_check(FILE, rendered, "api.commands.methods_page", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
