"""Every setting is documented, in docs/settings.md and in `excerpta serve --help`."""

import re
from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from api.commands import settings_page
from api.commands.serve import main
from api.commands.setting import Area, variable
from api.settings import Settings, notes
from tests.support import ROOT

NAMES = [one.name for one in fields(Settings)]
ELSEWHERE = {"URL", "API_KEY", "COLLECTION", "LOCAL", "BIND", "DB_PASSWORD"}


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_says_what_it_does_and_what_it_takes(name):
    note, default = notes()[name], getattr(Settings(), name)
    hint = get_type_hints(Settings)[name]
    assert re.fullmatch(r"[A-Z].{30,}\.", note.text)
    assert "|" not in note.text
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        assert note.bounds
        assert note.unit or name == "port"
    if get_origin(hint) is Literal:
        assert note.choices == get_args(hint)


def test_no_setting_is_without_its_area():
    assert {note.area for note in notes().values()} == set(Area)
    areas = [note.area for note in notes().values()]
    assert areas == sorted(areas, key=list(Area).index), "in the order of the areas"


def test_the_page_is_fresh_and_names_every_setting_once():
    page = (ROOT / settings_page.FILE).read_text("utf-8")
    assert page == settings_page.rendered()
    for name in NAMES:
        assert len(re.findall(rf"^\| `{variable(name)}`", page, re.MULTILINE)) == 1


def test_the_help_of_serve_lists_every_setting_and_flag(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for name, note in notes().items():
        assert re.search(rf"^  {variable(name)}\b", text, re.MULTILINE), name
        assert note.flag in text
        assert " ".join(note.text.split()) in " ".join(text.split())


def test_no_text_names_a_setting_that_is_not_there():
    known = {variable(name) for name in NAMES} | {f"EXCERPTA_{name}" for name in ELSEWHERE}
    for path in ("README.md", "Dockerfile", "compose.yaml", "docs/settings.md", "docs/figures.md"):
        named = set(re.findall(r"EXCERPTA_[A-Z_]+[A-Z]", (ROOT / path).read_text("utf-8")))
        assert named <= known, path
