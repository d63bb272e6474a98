"""Blocks become text with one form for each kind, and marks that point at pages and rows."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, PageStart, Paragraph, Table
from retrieval.corpus.headings import find_headings
from retrieval.corpus.writer import row_text, write

WORDS = st.text(st.sampled_from("ab \n\t#-|;:[]`\u00a0\ufeff"), max_size=12)
BLOCKS = st.one_of(
    st.builds(Heading, WORDS, st.integers(1, 6)),
    st.builds(Paragraph, WORDS),
    st.builds(Item, WORDS, st.sampled_from(["-", "2.", "b)"]), st.integers(0, 3)),
    st.builds(Code, WORDS),
    st.builds(Note, st.just("1"), WORDS),
    st.builds(Table, st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=4), st.just(("n", "m"))),
    st.builds(PageStart, st.integers(1, 9)),
)


def test_each_kind_has_its_form():
    blocks: list[Block] = [
        Heading(" The  rules ", 2),
        Paragraph("One\nline  each."),
        Item("first", "1."),
        Item("inner", "-", 1),
        Code("  if a:\n      b", "python"),
        Table([["Oslo", "", "5"], ["", "", ""], ["Bergen", "3", "4"]], ["City", "Spring", "Summer"], "Days"),
        Note("1", "See there."),
    ]
    assert write(blocks).text == (
        "## The rules\n\nOne\nline each.\n\n1. first\n  - inner\n\n```python\n  if a:\n      b\n```\n\n"
        "Days\n\nCity: Oslo; Summer: 5\nCity: Bergen; Spring: 3; Summer: 4\n\n[1] See there."
    )


def test_rows_keep_their_numbers_and_spans():
    written = write([Paragraph("Prices"), Table([["1"], [""], ["3"]], ["n"], first=5)])
    assert [(mark.number, written.text[mark.start : mark.end]) for mark in written.marks] == [
        (5, "n: 1"),
        (7, "n: 3"),
    ]


def test_a_table_without_names_keeps_its_columns():
    assert row_text([], ["a", "", "c"]) == "a |  | c"


def test_pages_without_text_have_no_mark():
    written = write([PageStart(1), Paragraph("a"), PageStart(2), PageStart(3), Paragraph("b")])
    assert [
        (mark.kind, mark.number, written.text[mark.start : mark.end].strip()) for mark in written.marks
    ] == [
        ("page", 1, "a"),
        ("page", 3, "b"),
    ]


@given(st.lists(BLOCKS, max_size=8))
def test_marks_are_inside_the_text_in_order_and_hold_text(blocks):
    written = write(blocks)
    for kind in ("page", "row"):
        marks = [mark for mark in written.marks if mark.kind == kind]
        assert all(written.text[mark.start : mark.end].strip() for mark in marks)
        assert all(a.end <= b.start for a, b in pairwise(marks))
    assert written.text == written.text.strip("\n").rstrip()


@given(st.lists(st.builds(Paragraph, WORDS), max_size=5))
def test_a_paragraph_is_never_taken_for_a_heading(blocks):
    assert not find_headings(write(blocks).text)


def test_numbers_below_each_other_in_a_cell_do_not_look_like_one():
    assert row_text(["fee", "name"], ["5\n300\n-2", "Ann\nLee"]) == "fee: 5 / 300 / -2; name: Ann Lee"
