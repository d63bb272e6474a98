"""Headings and items keep the numbers that a reader of a Word document sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import load_file
from retrieval.corpus.loaders.word.numbers.counting import counted
from tests.support.packages.word import item, lists, p, style, word_file


def lines_of(body, **parts):
    (document,) = load_file("a.docx", word_file(body, **parts))
    return [line for line in document.text.split("\n") if line]


@pytest.mark.parametrize(
    ("form", "text", "markers"),
    [
        ("decimal", "%1.", ["1.", "2.", "3."]),
        ("decimal", "Step %1", ["Step 1", "Step 2", "Step 3"]),
        ("decimal", "§ %1", ["§ 1", "§ 2", "§ 3"]),
        ("lowerLetter", "%1)", ["a)", "b)", "c)"]),
        ("upperLetter", "(%1)", ["(A)", "(B)", "(C)"]),
        ("lowerRoman", "%1.", ["i.", "ii.", "iii."]),
        ("upperRoman", "Article %1", ["Article I", "Article II", "Article III"]),
        ("decimalZero", "%1", ["01", "02", "03"]),
        ("ordinal", "%1", ["1st", "2nd", "3rd"]),
        ("cardinalText", "%1:", ["One:", "Two:", "Three:"]),
        ("ordinalText", "%1", ["First", "Second", "Third"]),
        ("decimalEnclosedCircle", "%1", ["①", "②", "③"]),
        ("chineseCounting", "第%1条", ["第一条", "第二条", "第三条"]),
        ("russianLower", "%1)", ["а)", "б)", "в)"]),
        ("bullet", "\uf0b7", ["-", "-", "-"]),
        ("unheardOf", "%1.", ["1.", "2.", "3."]),
    ],
)
def test_items_have_their_markers(form, text, markers):
    body = item("one") + item("two") + item("three")
    assert lines_of(body, numbering=lists((form, text))) == [
        f"{marker} {word}" for marker, word in zip(markers, ["one", "two", "three"], strict=True)
    ]


LEVELS = (("decimal", "%1."), ("decimal", "%1.%2."), ("lowerLetter", "%1.%2.%3)"))


def test_levels_are_numbered_within_each_other():
    body = "".join(item("x", level) for level in (0, 1, 1, 2, 2, 0, 1, 2, 0))
    assert lines_of(body, numbering=lists(*LEVELS)) == [
        "1. x", "  1.1. x", "  1.2. x", "    1.2.a) x", "    1.2.b) x", "2. x", "  2.1. x", "    2.1.a) x", "3. x",
    ]  # fmt: skip


def test_a_level_whose_outer_one_has_not_begun():
    body = item("x", 1) + item("x", 1) + item("x", 0)
    assert lines_of(body, numbering=lists(*LEVELS)) == ["  1.1. x", "  1.2. x", "1. x"]


@pytest.mark.parametrize(
    ("restart", "markers"),
    [
        ("", ["a", "b", "a"]),
        ('<w:lvlRestart w:val="0"/>', ["a", "b", "c"]),
        ('<w:lvlRestart w:val="1"/>', ["a", "b", "a"]),
    ],
)
def test_levels_that_begin_anew_or_count_on(restart, markers):
    numbering = lists(("decimal", "%1"), ("lowerLetter", "%2", restart))
    body = item("x", 0) + item("y", 1) + item("y", 1) + item("x", 0) + item("y", 1)
    found = [line.split()[0] for line in lines_of(body, numbering=numbering) if line.endswith("y")]
    assert found == markers


def number(identifier, override=""):
    return f'<w:num w:numId="{identifier}"><w:abstractNumId w:val="0"/>{override}</w:num>'


@pytest.mark.parametrize(
    ("override", "markers"),
    [
        ("", ["1.", "2.", "3.", "4."]),
        ('<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>', ["1.", "2.", "1.", "2."]),
        ('<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>', ["1.", "2.", "7.", "8."]),
        (
            '<w:lvlOverride w:ilvl="0"><w:lvl w:ilvl="0"><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1)"/></w:lvl></w:lvlOverride>',
            ["1.", "2.", "III)", "IV)"],
        ),
    ],
)
def test_a_second_list_counts_on_or_begins_where_it_says(override, markers):
    body = item("x") + item("x") + item("x", number=2) + item("x", number=2)
    numbering = lists(("decimal", "%1."), numbers=number(2, override))
    assert [line.split()[0] for line in lines_of(body, numbering=numbering)] == markers


def test_a_list_that_goes_on_after_a_paragraph_and_counts_empty_items():
    body = item("x") + p("between") + item("") + item("y")
    assert lines_of(body, numbering=lists(("decimal", "%1."))) == ["1. x", "between", "3. y"]


def test_legal_numbers_are_in_digits():
    numbering = lists(("upperRoman", "Article %1"), ("decimal", "Section %1.%2", "<w:isLgl/>"))
    assert lines_of(item("x") + item("x") + item("y", 1), numbering=numbering)[-1] == "  Section 2.1 y"


def test_numbers_that_are_not_seen():
    hidden = lists(("decimal", "%1.", "<w:rPr><w:vanish/></w:rPr>"))
    assert lines_of(item("x"), numbering=hidden) == ["x"]
    assert lines_of(item("x"), numbering=lists(("none", ""))) == ["x"]
    assert lines_of(item("x", number=0), numbering=lists(("decimal", "%1."))) == ["x"]
    assert lines_of(item("x", number=9), numbering=lists(("decimal", "%1."))) == ["x"]


def test_a_list_by_a_style_and_by_a_linked_style():
    styles = (
        style("Steps", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>')
        + style("Sub", '<w:basedOn w:val="Steps"/><w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr>')
        + style("Outline", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>', kind="numbering")
    )
    numbering = lists(
        ("decimal", "Step %1"), ("lowerLetter", "%2."),
        numbers='<w:abstractNum w:abstractNumId="5"><w:numStyleLink w:val="Outline"/></w:abstractNum>'
        '<w:num w:numId="6"><w:abstractNumId w:val="5"/></w:num>',
    )  # fmt: skip
    body = (
        p("x", '<w:pStyle w:val="Steps"/>') + p("y", '<w:pStyle w:val="Sub"/>') + p("z", '<w:pStyle w:val="Steps"/>')
        + p("none", '<w:pStyle w:val="Steps"/><w:numPr><w:numId w:val="0"/></w:numPr>') + item("w", number=6)
    )  # fmt: skip
    assert lines_of(body, styles=styles, numbering=numbering) == [
        "Step 1 x",
        "  a. y",
        "Step 2 z",
        "none",
        "Step 3 w",
    ]


def test_words_for_numbers_are_written_in_english_documents_only():
    styles = (
        '<w:docDefaults><w:rPrDefault><w:rPr><w:lang w:val="de-DE"/></w:rPr></w:rPrDefault></w:docDefaults>'
    )
    assert lines_of(item("x"), styles=styles, numbering=lists(("ordinalText", "%1"))) == ["1 x"]


HEADINGS = [
    (style("Heading1", "", name="heading 1"), '<w:pStyle w:val="Heading1"/>', 1),
    (style("berschrift2", "", name="heading 2"), '<w:pStyle w:val="berschrift2"/>', 2),
    (style("X", "", name="Überschrift 3"), '<w:pStyle w:val="X"/>', 3),
    (style("X", "", name="标题 2"), '<w:pStyle w:val="X"/>', 2),
    (
        style("H2", "", name="heading 2") + style("Mine", '<w:basedOn w:val="H2"/>'),
        '<w:pStyle w:val="Mine"/>',
        2,
    ),
    (style("Mine", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>'), '<w:pStyle w:val="Mine"/>', 3),
    ("", '<w:outlineLvl w:val="1"/>', 2),
    (style("T", "", name="Title"), '<w:pStyle w:val="T"/>', 1),
    (style("H8", "", name="heading 8"), '<w:pStyle w:val="H8"/>', 6),
]


@pytest.mark.parametrize(("styles", "properties", "level"), HEADINGS)
def test_headings_by_style_and_by_level(styles, properties, level):
    assert lines_of(p("Terms", properties) + p("x"), styles=styles) == [f"{'#' * level} Terms", "x"]


@pytest.mark.parametrize(
    ("styles", "properties"),
    [
        (style("Body", '<w:pPr><w:outlineLvl w:val="9"/></w:pPr>'), '<w:pStyle w:val="Body"/>'),
        (style("H", "", name="heading 1") + style("B", '<w:basedOn w:val="H"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>'), '<w:pStyle w:val="B"/>'),
        (style("H", "", name="Headline 1"), '<w:pStyle w:val="H"/>'),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_heading(styles, properties):
    assert lines_of(p("Text", properties), styles=styles) == ["Text"]


def test_headings_have_their_numbers():
    styles = "".join(
        style(
            f"H{at}",
            f'<w:pPr><w:numPr><w:ilvl w:val="{at - 1}"/><w:numId w:val="1"/></w:numPr></w:pPr>',
            name=f"heading {at}",
        )
        for at in (1, 2)
    )
    numbering = lists(("decimal", "%1"), ("decimal", "%1.%2"))
    body = "".join(
        p(text, f'<w:pStyle w:val="{style_}"/>')
        for text, style_ in [("A", "H1"), ("B", "H2"), ("C", "H2"), ("D", "H1")]
    )
    assert lines_of(body, styles=styles, numbering=numbering) == ["# 1 A", "## 1.1 B", "## 1.2 C", "# 2 D"]


def test_a_table_of_contents_is_left_out():
    styles = style("TOC1", "", name="toc 1") + style("H", "", name="heading 1")
    body = p("1 Terms 3", '<w:pStyle w:val="TOC1"/>') + p("Terms", '<w:pStyle w:val="H"/>') + p("Text")
    assert lines_of(body, styles=styles) == ["# Terms", "Text"]


@given(
    st.integers(1, 5000),
    st.sampled_from(["decimal", "lowerRoman", "upperLetter", "chineseCounting", "ordinalText", "x"]),
)
def test_neighbouring_numbers_differ(number, form):
    assert counted(number, form) != counted(number + 1, form)
    assert counted(number, form).strip()
