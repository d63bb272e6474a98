"""Markdown becomes blocks; comments, image data and front matter are no text."""

import pytest

from retrieval.corpus import Chunker, Remark, load_file
from retrieval.corpus.headings import find_headings
from retrieval.corpus.loaders.markdown import markdown_blocks
from retrieval.corpus.loaders.marked.chunks import parts
from retrieval.corpus.writer import write


def text_of(source):
    return load_file("a.md", source.encode()).__next__().text


def test_images_in_base64_leave_their_words(tokenize):
    source = f"# Wiring\n\nThe red wire.\n\n![diagram](data:image/png;base64,{'zJck68' * 6000})\n\nThe blue wire.\n"
    document, remark = load_file("a.md", source.encode())
    assert document.text == "# Wiring\n\nThe red wire.\n\n[image: diagram]\n\nThe blue wire."
    assert isinstance(remark, Remark)
    assert len(Chunker(tokenize).split(document)) == 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<!-- a secret -->\n# Real\nText with <b>bold</b> &amp; entity.", "# Real\n\nText with bold & entity."),
        ("a <!-- no --> b", "a b"),
        ("Use `<b> &amp; #` here", "Use `<b> &amp; #` here"),
        ("`<!-- shown -->` and <i>x</i>", "`<!-- shown -->` and x"),
        ("10<sup>9</sup> H<sub>2</sub>O", "10^9 H2O"),
        ("~~40~~ 50 EUR", "[deleted: 40] 50 EUR"),
        ("one<br>two", "one\ntwo"),
        ("See [fees][f] and [f].\n\n[f]: https://a.b/c 'T'", "See [fees](https://a.b/c) and [f](https://a.b/c)."),
        ("[![build](b.svg)](u) x ![](y.png)![p.png](z)", "[image: build] x"),
        ("<https://a.b> a_b 2\\*3", "https://a.b a_b 2*3"),
        ("Fee[^1].\n\n[^1]: Without *tax*.\n", "Fee [1].\n\n[1] Without *tax*."),
        ("> quote\n> more", "quote\nmore"),
        ("> [!WARNING]\n> Hot", "Warning: Hot"),
        ("3. three\n4. four\n   - in\n", "3. three\n4. four\n  - in"),
        ("7) seven", "7) seven"),
        ("## A {#a}\n***\nB\n-", "## A\n\n## B"),
        ("| Plan | Price |\n| --- | ---: |\n| p1 | 1.99 |\n| p2 | |", "Plan: p1; Price: 1.99\nPlan: p2"),
        ("a|b\n-|-\n`x\\|y`|<del>1</del>", "a: `x|y`; b: [deleted: 1]"),
        ("```sh\n# no\n```\n\n    # code", "```sh\n# no\n```\n\n```\n# code\n```"),
        ("~~~\n# no\n\n# no\n~~~", "```\n# no\n\n# no\n```"),
        ("<table><tr><th>k<th>v</tr>\n\n<tr><td>1<td>2</tr></table>", "k: 1; v: 2"),
        ("<div style='display:none'>no</div>\n\n<details><summary>More</summary>\n\ntext\n\n</details>", "More\n\ntext"),
        ("<script>\nno\n\nno</script>\n\nyes", "yes"),
    ],
)  # fmt: skip
def test_blocks(source, text):
    assert text_of(source) == text


def test_code_comments_are_no_headings():
    functions = "\n".join(f"def step_{n}(x):\n    # step {n}\n# at the edge" for n in range(60))
    text = text_of(f"# Script\n\n```python\n{functions}\n```\n\nDone.")
    assert [heading.title for heading in find_headings(text)] == ["Script"]


TABLE = "| a | b |\n|---|---|\n" + "".join(f"| {n} | x{n} |\n" for n in range(400))
CODE = "```sh\n" + "# step\n\n" * 200 + "```\n"


@pytest.mark.parametrize("size", [300, 1000, 5000])
@pytest.mark.parametrize(
    "source", [TABLE, CODE, "# A\n\ntext\n\n" * 300, "word\n" * 900, TABLE + "\nend\n\n" + CODE]
)
def test_large_files_are_read_in_parts_as_if_whole(source, size, monkeypatch):
    whole = write(markdown_blocks("a.md", source))
    monkeypatch.setattr("retrieval.corpus.loaders.markdown.parts", lambda text: parts(text, size=size))
    cut = write(markdown_blocks("a.md", source))
    assert [mark.number for mark in cut.marks] == [mark.number for mark in whole.marks]
    assert [h.title for h in find_headings(cut.text)] == [h.title for h in find_headings(whole.text)]
    assert [line for line in cut.text.split("\n") if line.strip("`sh")] == [
        line for line in whole.text.split("\n") if line.strip("`sh")
    ]


@pytest.mark.parametrize(
    "unit", ["~~a ", "[a](", "![a", "<!-- ", "`a", "<a ", "[^a", "> ", "- ", "[a]: b\n", "*"]
)
def test_repeated_signs_take_linear_time(unit):
    list(load_file("a.md", (unit * 20_000).encode()))


def test_bars_in_code_part_no_cells():
    assert text_of("|a|b|\n|-|-|\n|`p|q`|6|\n|`x`|7|") == "a: `p|q`; b: 6\na: `x`; b: 7"
    assert text_of("```\n|a|b|\n|-|-|\n|`p|q`|6|\n```") == "```\n|a|b|\n|-|-|\n|`p|q`|6|\n```"


def test_items_that_are_all_written_as_the_first_are_counted():
    assert text_of("1. a\n1. b\n   1. c\n   1. d\n1. e") == "1. a\n2. b\n  1. c\n  2. d\n3. e"
    assert text_of("4. a\n6. b") == "4. a\n6. b"


def test_signs_of_money_and_percent_may_be_escaped():
    assert text_of("costs \\$5, not \\$6 \\(10\\%\\)") == "costs $5, not $6 \\(10%\\)"
