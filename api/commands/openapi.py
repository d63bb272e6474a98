"""Writes docs/openapi.json, or checks that it is up to date: `python -m api.commands.openapi [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from api.app import create_app
from api.commands.generated import write_or_check
from api.http.method_schemas import with_methods
from api.settings import Settings

FILE = Path("docs/openapi.json")


def rendered() -> str:
    """The OpenAPI document, in a stable order."""
    schema = with_methods(create_app(Settings()).openapi_schema.to_schema())
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=1).decode() + "\n"


def main(arguments: list[str]) -> int:
    """Writes or checks the file; returns the exit status (`api.commands.generated`)."""
    return write_or_check(FILE, rendered, "api.commands.openapi", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
