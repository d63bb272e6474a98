from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.headings import PATH_CHARACTERS, find_headings, path_line, sections


def titles(text):
    return [(heading.level, heading.title) for heading in find_headings(text)]


def test_atx_headings_only():
    text = "# One ##\r\n#no\n#\n   ### Three\n    # four spaces\n####### seven\n## C# and F#\n"
    assert titles(text) == [(1, "One"), (3, "Three"), (2, "C# and F#")]


def test_fences_hide_headings_and_open_ones_do_not():
    assert titles("```sh\n# no\n~~~\n# no\n```\n# yes\n~~~\n# hidden\n~~~~") == [(1, "yes")]
    assert titles("# a\n```\n# b\n# c") == [(1, "a"), (1, "b"), (1, "c")]
    assert titles("`` `` ``` inline ``` ``\n# a") == [(1, "a")]


def test_sections_have_their_path():
    text = "intro\n# A\n## B\nb\n### C\nc\n## D\nd\n# E"
    assert [(section.path, text[section.start : section.end]) for section in sections(text)] == [
        ((), "intro\n"),
        (("A",), "# A\n"),
        (("A", "B"), "## B\nb\n"),
        (("A", "B", "C"), "### C\nc\n"),
        (("A", "D"), "## D\nd\n"),
        (("E",), "# E"),
    ]


def test_a_level_may_be_skipped():
    assert [section.path for section in sections("### C\n# A\n### B\n## D")] == [
        ("C",),
        ("A",),
        ("A", "B"),
        ("A", "D"),
    ]


def test_path_line_is_bounded_and_leaves_out_the_title():
    assert path_line((), "T") == ""
    assert path_line(("T",), "T") == ""
    assert path_line(("a" * 100, "b" * 100), "") == "b" * 100
    long = path_line(("word " * 100,), "")
    assert len(long) <= PATH_CHARACTERS
    assert long.endswith("word…")
    assert len(path_line(("x" * 500,), "")) == PATH_CHARACTERS


@given(st.text(alphabet=st.sampled_from("# ab`~\n\r"), max_size=60))
def test_sections_partition_the_text(text):
    assert "".join(text[section.start : section.end] for section in sections(text)) == text
