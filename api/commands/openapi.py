"""Writes docs/openapi.json, or checks that it is up to date: `python -m api.commands.openapi [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from api.app import create_app
from api.http.method_schemas import with_methods
from api.settings import Settings

FILE = Path("docs/openapi.json")


def rendered() -> bytes:
    """The OpenAPI document, in a stable order."""
    schema = with_methods(create_app(Settings()).openapi_schema.to_schema())
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=1) + b"\n"


def main(arguments: list[str]) -> int:
    """Returns the exit status: 1 when the file is out of date."""
    if arguments == ["--check"]:
        if not FILE.is_file() or FILE.read_bytes() != rendered():
            sys.stderr.write(f"{FILE} is stale: run python -m api.commands.openapi\n")
            return 1
    elif arguments:
        sys.stderr.write("usage: python -m api.commands.openapi [--check]\n")
        return 2
    else:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_bytes(rendered())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
