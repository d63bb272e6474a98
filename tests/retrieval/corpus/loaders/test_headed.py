"""AsciiDoc, Org and LaTeX say what a reader of the printed page sees."""

import pytest

from retrieval.corpus import load_file


def text_of(source, name):
    (document,) = load_file(name, source.encode())
    return document.text


@pytest.mark.parametrize(
    ("name", "source", "text"),
    [
        ("a.tex", "Fee is 5 % was 9\n50\\% off % not 60", "Fee is 5\n50\\% off"),
        ("a.tex", "a\n\\iffalse\nb\n\\fi\nc\n\\begin{comment}\nd\n\\end{comment}\ne", "a\nc\ne"),
        ("a.tex", "\\sout{7} 8\n\\end{document}\n9", "[deleted: 7] 8"),
        ("a.tex", "\\begin{verbatim}\n% kept\n\\end{verbatim}", "```\n% kept\n```"),
        ("a.adoc", "a\n\n////\nb\n////\n\n[line-through]#7# 8", "a\n\n[deleted: 7] 8"),
        ("a.adoc", ":price: 5 EUR\n\nThe fee is {price}, not {other}.", "The fee is 5 EUR, not {other}."),
        (
            "a.org",
            "a\n#+BEGIN_COMMENT\nb\n#+END_COMMENT\n+7+ 8 + 9 C++ and +x",
            "a\n[deleted: 7] 8 + 9 C++ and +x",
        ),
        (
            "a.org",
            "Fees\n| item | fee |\n|------+-----|\n| A | -5 |\n| B |    |",
            "Fees\n\nitem: A; fee: -5\nitem: B",
        ),
        ("a.org", "| A | -5 |\n| B | 6 |", "A | -5\nB | 6"),
    ],
)
def test_what_is_shown(name, source, text):
    assert text_of(source, name) == text
