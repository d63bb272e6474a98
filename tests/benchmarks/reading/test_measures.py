import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reading.measures import (
    Share,
    cells_right,
    tables_in,
    text_in,
    words_found,
    words_of,
    words_right,
)

_WORDS = st.lists(st.sampled_from(["oslo", "valve", "12", "spring"]), max_size=8)


@given(_WORDS, st.randoms())
def test_all_words_are_found_in_any_order(words, random):
    shuffled = random.sample(words, len(words))
    assert words_found(words, shuffled) == Share(len(words), len(words))
    assert words_right(words, shuffled).value == 1.0


@given(_WORDS, _WORDS)
def test_no_more_words_are_found_than_there_are(expected, read):
    found = words_found(expected, read)
    assert found.part <= min(len(expected), len(read))
    assert words_right(expected, read).part <= len(read)


def test_a_word_that_stands_twice_has_to_be_read_twice():
    assert words_found(["oslo", "oslo"], ["oslo"]) == Share(1, 2)


def test_words_joined_by_mistake_are_not_found():
    assert words_found(words_of("limit 10^9"), words_of("limit 109")) == Share(1, 3)


def test_the_text_of_a_page_has_neither_its_style_nor_its_marks():
    assert words_of(text_in("html", "<style>p {}</style><p>Fee&nbsp;<b>12</b></p><!-- no -->")) == [
        "fee",
        "12",
    ]


def test_addresses_of_links_are_no_text():
    markdown = 'See [the manual](http://a.example/x "title").\n\n[1]: http://b.example\n<http://c.example>'
    assert words_of(text_in("markdown", markdown)) == ["see", "the", "manual", "1"]


_TABLE = [["City", "Spring", "Autumn"], ["Oslo", "", "5"], ["Bergen", "7", "9"]]


@pytest.mark.parametrize(
    "rows",
    [
        ["City: Oslo; Autumn: 5", "City: Bergen; Spring: 7; Autumn: 9"],
        ["City | Spring | Autumn", "Oslo |  | 5", "Bergen | 7 | 9"],
    ],
)
def test_cells_are_right_under_their_name_or_at_their_place(rows):
    assert cells_right([_TABLE], rows) == Share(5, 5)


@pytest.mark.parametrize(
    ("row", "right"),
    [("City: Oslo; Spring: 5", 1), ("Oslo | 5", 1), ("Oslo 5", 0), ("City: Oslo; Autumn: 57", 1)],
)
def test_a_value_under_another_name_is_wrong(row, right):
    assert cells_right([_TABLE[:2]], [row]) == Share(right, 2)


def test_spans_of_an_expected_page_are_resolved():
    html = "<table><tr><td>City<td>Fee<tr><td rowspan=2>Oslo<td>1<tr><td>2</table>"
    assert tables_in("html", html) == [[["City", "Fee"], ["Oslo", "1"], ["Oslo", "2"]]]


def test_columns_that_are_empty_in_all_rows_do_not_count():
    (table,) = tables_in("csv", '"",City,Fee\r\n"",Oslo,5\r\n')
    assert cells_right([table], ["City: Oslo; Fee: 5"]) == Share(2, 2)
