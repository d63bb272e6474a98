import pytest

from retrieval.corpus.load import load_file
from tests.support.file_makers import pdf


def shown(*lines):
    parts = (f"/F {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj" for x, y, text, size in lines)
    return f"BT {' '.join(parts)} ET".encode("cp1252")


def text_of(*lines):
    document, *_ = load_file("a.pdf", pdf(shown(*lines)))
    return document.text


_BODY = [
    (50, 500 - 14 * at, f"Line {'abcdefgh'[at]} of the text goes on and on for some time here", 11)
    for at in range(8)
]


@pytest.mark.parametrize(
    ("text", "size", "heading"),
    [
        ("Safety valves", 16, True),
        ("2.1 Safety valves", 12, True),
        ("Safety valves", 12, False),
        ("This larger sentence is no heading.", 16, False),
        ("2024", 16, False),
        ("Safety valves", 11, False),
    ],
)
def test_a_short_larger_line_is_a_heading(text, size, heading):
    assert text_of((50, 530, text, size), *_BODY).startswith(f"# {text}" if heading else text)


def test_headings_are_ranked_by_their_size():
    text = text_of((50, 600, "Manual", 24), (50, 560, "Valves", 18), (50, 530, "Springs", 14), *_BODY)
    assert text.startswith("# Manual\n\n## Valves\n\n### Springs\n\nLine a")


def test_a_page_of_large_text_alone_has_no_headings():
    assert text_of((50, 600, "Grand opening", 30), (50, 500, "on Friday", 20)) == "Grand opening\n\non Friday"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["• Open the valve", "• Close it"], "- Open the valve\n- Close it"),
        (["1. Open the valve", "2. Close it"], "1. Open the valve\n2. Close it"),
        (["a) Open the valve", "b) Close it"], "a) Open the valve\nb) Close it"),
        (["- Open the valve", "- Close it"], "- Open the valve\n- Close it"),
        (["- 40 degrees is the least"], "- 40 degrees is the least"),
        (["2009. That was a good year"], "2009. That was a good year"),
    ],
)
def test_lines_with_bullets_or_numbers_are_items(lines, text):
    drawn = [(50, 700 - 14 * at, line.replace(")", "\\)"), 11) for at, line in enumerate(lines)]
    assert text_of(*drawn) == text


def test_an_item_goes_on_in_its_next_lines():
    lines = ["• Open the valve at the left of the tank", "• Close it"]
    drawn = [(50, 700, lines[0], 11), (58, 686, "and wait", 11), (50, 672, lines[1], 11)]
    assert text_of(*drawn) == "- Open the valve at the left of the tank and wait\n- Close it"
