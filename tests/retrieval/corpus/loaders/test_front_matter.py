"""Front matter of every usual form becomes metadata, and none of it text."""

import pytest

from retrieval.corpus import load_file
from retrieval.corpus.loaders.marked.front_matter import front_matter

BODY = "\n# Install\n\nRun it.\n"


@pytest.mark.parametrize(
    ("head", "title", "fields"),
    [
        ('---\ntitle: "Deploy guide"\ndate: 2024-05-01\ntags:\n  - deploy\n  - linux\ndraft: false\n---', "Deploy guide",
         {"date": "2024-05-01", "tags": ["deploy", "linux"], "draft": False}),
        ("---\ntitle: Setup\nauthor:\n  name: Ann\n  at: {org: Acme}\ntags: [a, b]\n---", "Setup",
         {"author.name": "Ann", "author.at.org": "Acme", "tags": ["a", "b"]}),
        ("---\ntitle: Setup\nog:image: x\nlast updated: 2024\n---", "Setup", {"og:image": "x", "last updated": 2024}),
        ("---\ntitle: Ley 20/1967, de 8 de abril,\n  a efectos de pesca.\ndate: '2025-11-19T14:20:27+01:00'\n---",
         "Ley 20/1967, de 8 de abril, a efectos de pesca.", {"date": "2025-11-19T14:20:27+01:00"}),
        ('+++\ntitle = "Anleitung"\ndate = 2024-05-01\n[author]\nname = "Änne"\n+++', "Anleitung",
         {"date": "2024-05-01", "author.name": "Änne"}),
        ('{"title": "Guide", "year": 2024}', "Guide", {"year": 2024}),
        ("---\ntitle: One: two\ncode: 007\n---", "One: two", {"code": "007"}),
        ("---\n# made by hand\ntitle: >-\n  Long\n  title\nnote: |\n  kept\nempty:\n...", "Long title", {"note": "kept\n"}),
        ("---\ntitle: 手册\nzip: 01234\ntime: 12:30\nanswer: yes\nbig: 99999999999999999999\n---", "手册",
         {"zip": "01234", "time": "12:30", "answer": "yes", "big": "99999999999999999999"}),
        ("\n---\r\ntitle: Windows\r\n---", "Windows", {}),
        ("---\n---", "Install", {}),
        ("---\ntitle: T\nlist: [{a: 1}]\nsource: elsewhere\n---", "T", {}),
    ],
)  # fmt: skip
def test_forms(head, title, fields):
    (document,) = load_file("docs/a.md", (head + BODY).encode())
    assert document.title == title
    assert document.metadata == {"source": "docs/a.md", **fields}
    assert document.text == "# Install\n\nRun it."


@pytest.mark.parametrize(
    "text",
    [
        "---\nJust a line.\n---\n",
        "---\n\ntext\n",
        "+++\nno = \n+++\n",
        "{a}\n",
        "text\n---\ntitle: no\n---\n",
        "",
    ],
)
def test_what_is_no_front_matter_stays(text):
    assert front_matter(text) == ({}, text)


@pytest.mark.parametrize(
    "head",
    [
        "a: &a {x: 1, y: 2}\n"
        + "".join(f"b{n}: {{p: *{'a' if not n else f'b{n - 1}'}}}\n" for n in range(3)),
        "a: &a [x]\n" + "".join(f"k{n}: *a\n" for n in range(1900)),
        "a: " + "[" * 3000,
        "a: !!python/object/apply:os.system ['true']",
        "a0: &a0 {x: y}\n" + "".join(f"a{n + 1}: &a{n + 1} {{p: *a{n}, q: *a{n}}}\n" for n in range(40)),
    ],
)
def test_hostile_yaml_is_harmless(head):
    fields, _ = front_matter(f"---\n{head}\n---\ntext")
    assert len(fields) <= 500
