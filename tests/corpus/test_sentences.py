import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text.sentences import sentences


def split(text):
    return [text[s.start : s.end] for s in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("One", ["One"]),
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Mr. and Mrs. Smith met Dr. Who. They left.", ["Mr. and Mrs. Smith met Dr. Who.", "They left."]),
        (
            "See Fig. 3 and No. 5. She said no. Then she left.",
            ["See Fig. 3 and No. 5.", "She said no.", "Then she left."],
        ),
        ("It costs 3.14 euros. Really.", ["It costs 3.14 euros.", "Really."]),
        ("Version 2.5. Then 3.", ["Version 2.5.", "Then 3."]),
        ("Use it, e.g. Redis. Or i.e. this.", ["Use it, e.g. Redis.", "Or i.e. this."]),
        (
            "J. R. R. Tolkien wrote. So did I. Then we read.",
            ["J. R. R. Tolkien wrote.", "So did I.", "Then we read."],
        ),
        (
            "The U.S. Army came. He lives in the U.S. They do too.",
            ["The U.S. Army came.", "He lives in the U.S.", "They do too."],
        ),
        ("Pens, paper etc. Also ink.", ["Pens, paper etc.", "Also ink."]),
        (
            "On Jan. 5 it began. It ended in Jan. Nothing else.",
            ["On Jan. 5 it began.", "It ended in Jan.", "Nothing else."],
        ),
        ('"Why?" he asked. "Go!" She went.', ['"Why?" he asked.', '"Go!"', "She went."]),
        ("(He left.) She stayed.", ["(He left.)", "She stayed."]),
        ("It is so.[12] That too.", ["It is so.[12]", "That too."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("1. Open it.\n2. Close it.\n- a\n- b", ["1. Open it.", "2. Close it.", "- a", "- b"]),
        ("wrapped\nline here. Next\nline.", ["wrapped\nline here.", "Next\nline."]),
        ("wrapped\r\nline\r\n\r\nnew paragraph", ["wrapped\r\nline", "new paragraph"]),
        ("我们去。你好吗？“好！”他说", ["我们去。", "你好吗？", "“好！”", "他说"]),
        ("यह है। वह भी।", ["यह है।", "वह भी।"]),
        ("see foo.com. The end", ["see foo.com.", "The end"]),
        ("all lower. case stays whole", ["all lower. case stays whole"]),
    ],
)
def test_sentences(text, expected):
    assert split(text) == expected


def test_paragraphs_are_marked():
    found = list(sentences("A one. A two.\n\nB one.\n \t\nC"))
    assert [s.ends_paragraph for s in found] == [False, True, True, True]


@given(st.text(alphabet=st.sampled_from("aB1. !?\n\r\t\"')。…-#•\u200b😀"), max_size=80), st.integers(0, 20))
@settings(max_examples=300)
def test_sentences_are_in_order_trimmed_and_cover_all_but_whitespace(text, start):
    start = min(start, len(text))
    position = start
    for sentence in sentences(text, start):
        assert text[position : sentence.start].strip() == ""
        found = text[sentence.start : sentence.end]
        assert found
        assert found == found.strip()
        position = sentence.end
    assert text[position:].strip() == ""
