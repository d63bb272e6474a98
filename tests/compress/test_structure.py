"""What stays or goes as a whole, and JSON that parses after it was shortened."""

from __future__ import annotations

import doctest
import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text.words import words
from compress import CATALOGUE, shorten
from compress.methods.lexical import LexicalScorer
from compress.structure import json_values, units
from compress.structure.json_values import leaves, values_of
from compress.structure.layout import layout_of
from compress.structure.units import LONGEST_CODE, units_of, wholes


def count(texts):
    return [len(re.findall(r"\s?\w{1,4}|\s?[^\w\s]|\s", text)) for text in texts]


def cut(text, target, query="", **options):
    given_options = CATALOGUE.resolve({"method": "lexical", **options})
    return shorten(LexicalScorer(), query, [text], given_options, count, target_tokens=target)[0]


@pytest.mark.parametrize("module", [units, json_values])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "whole",
    [
        "3.5 million",
        "12 km",
        "5 %",
        "-5 °C",
        "US$ 7.25",
        "12 May 2021",
        "May 12, 2021",
        "ISO 9001",
        "ada.quist@rail.example",
        "C:\\temp\\a.txt",
        "`x = f(y)`",
        '"rate": 0.25',
        "https://rail.example/a?b=c&d=1",
        "/usr/share/doc",
        "10.0.0.21",
        "550e8400-e29b-41d4-a716-446655440000",
        "[12]",
    ],
)
def test_it_is_kept_whole_or_not_at_all(whole):
    text = f"Of all the things that were said the one that counts is {whole} and the others do not. " * 2
    seen = set()
    for target in range(1, count([text])[0]):
        kept = cut(text, target, "one that counts is").kept
        for found in re.finditer(re.escape(whole), text):
            inside = sum(
                min(end, found.end()) - max(start, found.start())
                for start, end in kept
                if start < found.end() and end > found.start()
            )
            assert inside in (0, len(whole))
            seen.add(inside)
    assert seen == {0, len(whole)}


TABLE = "| name | metres |\n|---|---|\n| Oslo tower | 31 |\n| Bergen tower | 45 |\n"
CODE = "```python\nimport rail\n\nrail.open(1)  # the tower\n```"


def test_table_rows_and_blocks_of_code_stay_or_go_as_a_whole():
    text = f"Towers of the north are listed here.\n{TABLE}\nUse this to open them:\n{CODE}\nThen wait a day."
    for target in range(5, count([text])[0]):
        kept = cut(text, target, "How many metres has the Bergen tower?").text
        for whole, part in {TABLE.split("\n")[2]: "31", TABLE.split("\n")[3]: "45", CODE: "import"}.items():
            assert (whole in kept) == (part in kept)
    assert "\n| Bergen tower | 45 |" in cut(text, 25, "In Bergen?", window=1).text


def test_a_long_block_of_code_goes_line_by_line():
    lines = [f"call_{at}(argument, another)" for at in range(LONGEST_CODE // 20)]
    text = "\n".join(["```", *lines, "```"])
    kept = cut(text, count([text])[0] // 2).text.split("\n")
    assert 10 < len(kept) < len(lines)
    assert set(kept) <= {"```", *lines}


def test_without_structure_nothing_is_held_together():
    text = "It was 3.5 million km on 12 May 2021 in all of them. " * 3
    halves = [cut(text, target, structure="words").text for target in range(2, 20)]
    assert any(
        half.rstrip().endswith("12 May") or ("12 May" in half and "12 May 2021" not in half)
        for half in halves
    )


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)), max_size=5))
def test_units_are_runs_of_words(text, drawn):
    spans, ranges, at = words(text), [], 0
    for gap, length in drawn:
        ranges.append((at + gap, at + gap + length))
        at += gap + length
    units = units_of(spans, ranges)
    for first, second in itertools.pairwise(range(len(spans))):
        shared = any(
            start < spans[first, 1]
            and end > spans[first, 0]
            and start < spans[second, 1]
            and end > spans[second, 0]
            for start, end in ranges
        )
        assert units[second] - units[first] == (0 if shared else 1)


@given(st.text(max_size=300))
def test_wholes_are_in_order_and_apart(text):
    found = wholes(text)
    assert all(start < end <= len(text) for start, end in found)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))


SIGNS = "ab 1.,-:\\\"'/\n\té東👩\u200d\u0301{}[]"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(SIGNS, max_size=200),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(SIGNS, max_size=6), inner, max_size=5)
    ),
    max_leaves=20,
).filter(lambda value: isinstance(value, list | dict))


@given(JSON, st.integers(0, 200), st.sampled_from([None, 2]), st.booleans())
def test_what_is_left_of_json_parses_and_is_part_of_it(value, target, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = cut(text, target, "a b", structure="parse-safe")
    assert found.tokens_after <= target
    assert found.text == "".join(text[start:end] for start, end in found.kept)
    if found.text:
        assert_part(json.loads(found.text), value)


def assert_part(part, whole):
    if isinstance(whole, dict) and isinstance(part, dict):
        assert list(part) == [key for key in whole if key in part]
        for key, value in part.items():
            assert_part(value, whole[key])
    elif isinstance(whole, list):
        rest = iter(whole)
        for value in part:
            assert any(is_part(value, other) for other in rest)
    elif isinstance(whole, str):
        rest = iter(whole)
        assert all(sign in rest for sign in part)
    else:
        assert part == whole


def is_part(part, whole):
    try:
        assert_part(part, whole)
    except (AssertionError, TypeError):
        return False
    return True


@given(JSON)
def test_values_stand_where_they_are_found(value):
    text = json.dumps(value)
    (root,) = values_of(text)
    assert json.loads(text[root.begin : root.end]) == value
    for leaf in leaves([root]):
        json.loads(text[leaf.begin : leaf.end])


def test_json_lines_lose_lines():
    lines = [json.dumps({"id": at, "text": f"tower {at} in Oslo"}) for at in range(20)]
    kept = cut("\n".join(lines), 60, "tower 7", structure="parse-safe").text
    parsed = [json.loads(line) for line in kept.splitlines()]
    assert 0 < len(parsed) < 20
    assert {"id", "text"} >= set().union(*parsed)


def test_json_nested_too_deeply_goes_as_a_whole():
    text = "[" * 500 + "1" + "]" * 500
    assert cut(text, 400, structure="parse-safe").text == ""
    assert cut(text, 5000, structure="parse-safe").text == text


@pytest.mark.parametrize("text", ["[1] is a note", "plain", "", "{not json}", '"a string"', "[1]\nprose"])
def test_what_is_no_json(text):
    assert values_of(text) is None
    spans = words(text)
    assert layout_of(text, "parse-safe").kept(spans, spans[:, 0] >= 0) == (((0, len(text)),) if text else ())
