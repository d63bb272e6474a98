"""Writes docs/settings.md, or checks that it is up to date: `python -m api.commands.settings_page [--check]`.

`excerpta serve --help` shows the same list. Both come from `api.settings`.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from api.commands.generated import write_or_check
from api.commands.setting import Area, Note, variable
from api.settings import Settings, notes

FILE = Path("docs/settings.md")
_HEAD = """# Settings of the server

<!-- Written by `python -m api.commands.settings_page` from api/settings.py; change that file instead. -->

Each setting is an environment variable. Some can be given to `excerpta serve` as a flag too; the flag wins.
An empty variable counts as not set. A value that cannot work ends the start with exit status 2 and a remedy.
`excerpta serve --help` prints this list.

"""
_FOOT = """## Elsewhere

- `excerpta serve --log-level` is `debug`, `info` (the default), `warning` or `error`. Logs are JSON lines
  on standard error.
- The client and the command line read `EXCERPTA_URL`, the server's address, and `EXCERPTA_API_KEY`, one key.
  The command line also reads `EXCERPTA_COLLECTION`, and `EXCERPTA_LOCAL`, a data directory to use without
  a server.
- `compose.yaml` reads `EXCERPTA_BIND`, `EXCERPTA_DB_PASSWORD` and some of the above; its first lines list
  them.
- Models are set in a profile, which `EXCERPTA_PROFILE` names.
"""


def rendered() -> str:
    """The whole page: one table an area."""
    return _HEAD + "\n".join(map(_table, Area)) + "\n" + _FOOT


def help_text(width: int = 100) -> str:
    """The settings by area, for `--help`: name, flag, default and values, and the text below."""
    return "\n\n".join(_section(area, width) for area in Area)


def value_text(value: object) -> str:
    """A value as it would be typed; empty when there is none.

    >>> value_text(True), value_text(2.0), value_text(()), value_text(Path("data"))
    ('true', '2', '', 'data')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def allowed(name: str, note: Note) -> str:
    """The values that a setting takes, in words: bounds and unit, or choices.

    >>> allowed("max_body_mb", notes()["max_body_mb"]), allowed("warm", notes()["warm"])
    ('1 to 1024 MiB', 'true or false')
    """
    if note.bounds is not None:
        least, most = (value_text(one) for one in note.bounds)
        return f"{least} to {most} {note.unit}".rstrip()
    choices = ("true", "false") if isinstance(_defaults()[name], bool) else note.choices
    return " or ".join(", ".join(choices).rsplit(", ", 1))


def main(arguments: list[str]) -> int:
    """Writes or checks the file; returns the exit status (`api.commands.generated`)."""
    return write_or_check(FILE, rendered, "api.commands.settings_page", arguments)


def _defaults() -> dict[str, object]:
    return {one.name: one.default for one in fields(Settings)}


def _within(area: Area) -> Iterator[tuple[str, Note]]:
    return ((name, note) for name, note in notes().items() if note.area is area)


def _table(area: Area) -> str:
    rows = [_row(name, note) for name, note in _within(area)]
    head = ["| setting | default | values | effect, and when to change it |", "|---|---|---|---|"]
    return "\n".join([f"## {area.value}", "", *head, *rows, ""])


def _row(name: str, note: Note) -> str:
    default = value_text(_defaults()[name])
    names = f"`{variable(name)}`" + (f", `{note.flag}`" if note.flag else "")
    return f"| {names} | {f'`{default}`' if default else ''} | {allowed(name, note)} | {note.text} |"


def _section(area: Area, width: int) -> str:
    return "\n".join([f"{area.value}:", *(_entry(name, note, width) for name, note in _within(area))])


def _entry(name: str, note: Note, width: int) -> str:
    default = value_text(_defaults()[name])
    facts = [note.flag, f"default {default}" if default else "", allowed(name, note)]
    first = "  " + "; ".join([variable(name), *filter(None, facts)])
    text = textwrap.fill(note.text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"{first}\n{text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
