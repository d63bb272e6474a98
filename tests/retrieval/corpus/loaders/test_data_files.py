import json

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document


def read(name, data):
    found = list(load_file(name, data if isinstance(data, bytes) else data.encode()))
    documents = [one for one in found if isinstance(one, Document)]
    return documents, [one for one in found if not isinstance(one, Document)]


def text(name, data):
    (document,), others = read(name, data)
    assert not others
    return document.text


def notebook(*cells, **fields):
    about = {"nbformat": 4, "metadata": {"language_info": {"name": "python"}}}
    return json.dumps(about | {"cells": list(cells)} | fields)


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def test_cells_of_a_notebook_are_text_and_code():
    data = notebook(
        {"cell_type": "markdown", "source": ["# Pumps\n", "\n", "1. **Open** it"]}, code("x = 1\nprint(x)")
    )
    (document,), _ = read("a.ipynb", data)
    assert document.text == "# Pumps\n\n1. **Open** it\n\n```python\nx = 1\nprint(x)\n```"
    assert document.title == "Pumps"


@pytest.mark.parametrize(
    ("output", "right"),
    [
        ({"output_type": "stream", "text": ["a\n", "b"]}, "```\na\nb\n```"),
        ({"output_type": "execute_result", "data": {"text/plain": "7"}}, "```\n7\n```"),
        (
            {
                "output_type": "execute_result",
                "data": {
                    "text/plain": "  A B",
                    "text/html": "<table><tr><th>A</th><th>B</th></tr><tr><td></td><td>5</td></tr></table>",
                },
            },
            "B: 5",
        ),
        ({"output_type": "display_data", "data": {"image/png": "aaaa", "text/markdown": "*5*"}}, "*5*"),
        ({"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["\x1b[31m"]}, "```\nKeyError: 'x'\n```"),
        ({"output_type": "stream", "text": "\x1b[31mred\x1b[0m"}, "```\nred\n```"),
    ],
)  # fmt: skip
def test_what_code_puts_out_is_read(output, right):
    assert text("a.ipynb", notebook(code("f()", output))) == f"```python\nf()\n```\n\n{right}"


def test_older_notebooks_and_broken_ones():
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Old"}]}]}
    assert text("a.ipynb", json.dumps(old)) == "## Old"
    assert text("a.json", notebook(code("f()"))) == "```python\nf()\n```"
    for data, reason in [("{", "is not a notebook"), ('{"cells": 3}', "it has no cells")]:
        _, (error,) = read("a.ipynb", data)
        assert isinstance(error, UnreadableDocument)
        assert reason in error.reason


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ('{"port": 80, "fee": 19.90, "on": true, "none": null}', "port: 80\nfee: 19.90\non: true"),
        ('{"pump": {"name": "P7", "bar": 7}, "to": ["a", "b"]}', "to: a, b\n\n# pump\n\nname: P7\nbar: 7"),
        (
            '{"rows": [{"city": "Oslo", "b": 5}, {"city": "Bergen", "a": 4, "b": 6}]}',
            "# rows\n\ncity: Oslo; b: 5\ncity: Bergen; b: 6; a: 4",
        ),
        ('{"steps": [{"do": {"a": 1}}]}', "# steps\n\n## steps 1\n\n### do\n\na: 1"),
        ('["one", "two"]', "- one\n- two"),
        ('"text"', "text"),
        (
            '{"long": ["' + '", "'.join(["x" * 60] * 5) + '"]}',
            "# long\n\n" + "\n".join(["- " + "x" * 60] * 5),
        ),
    ],
)
def test_json_is_read_by_its_structure(value, right):
    assert text("a.json", value) == right


def test_records_of_json_are_documents_as_lines_of_jsonl_are():
    documents, _ = read("a.json", '[{"id": "x", "text": "One", "more": {"a": 1}}, {"text": "Two"}]')
    assert [(one.id, one.text) for one in documents] == [("a.json#x", "One"), ("a.json#2", "Two")]
    documents, _ = read("fees.json", '[{"city": "Oslo", "fee": 5}]')
    assert (documents[0].text, documents[0].metadata["fee"]) == ("city: Oslo; fee: 5", 5)


def test_json_that_is_none_is_read_as_lines_or_as_plain_text():
    documents, _ = read("a.json", '{"text": "One"}\n{"text": "Two"}\n')
    assert [one.text for one in documents] == ["One", "Two"]
    (document,), (remark,) = read("a.json", '{"a": 1, // note\n}')
    assert document.text.startswith("```json\n")
    assert isinstance(remark, Remark)
    assert "is not valid JSON" in remark.text
    deep = "[" * 60 + "1" + "]" * 60
    _, (error,) = read("a.json", deep)
    assert error.reason == "is nested too deeply"


@pytest.mark.parametrize(
    ("source", "right"),
    [
        (
            "<article><title>Pumps</title><para>Use <b>7</b> bar.</para><section><title>Valves</title>"
            "<para>Open.</para></section></article>",
            "# Pumps\n\nUse 7 bar.\n\n## Valves\n\nOpen.",
        ),
        (
            '<fees><fee sku="P-7" price="5"/><fee sku="P-8" price="6"><note>new</note></fee></fees>',
            "sku: P-7; price: 5\nsku: P-8; price: 6; note: new",
        ),
        ("<pump><name>P7</name><bar>7</bar></pump>", "name: P7\nbar: 7"),
        (
            "<rss><channel><title>News</title><item><title>One</title><description>First.</description></item>"
            "<item><title>Two</title><description>Second.</description></item></channel></rss>",
            "# News\n\ntitle: One; description: First.\ntitle: Two; description: Second.",
        ),
        ("<list><item>one</item><item>two</item></list>", "- one\n- two"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><p>caf\u00e9</p>'.encode("latin-1"), "café"),
        (
            '<order><price currency="EUR">5</price><p lang="en" align="left">Paid.</p></order>',
            "price: 5; currency: EUR\n\nPaid.",
        ),
        (
            '<rates><rate to="NOK">11.5</rate><rate to="SEK">11.2</rate></rates>',
            "rate: 11.5; to: NOK\nrate: 11.2; to: SEK",
        ),
    ],
)
def test_xml_is_read_by_its_structure(source, right):
    (document,), _ = read("a.xml", source)
    assert document.text == right


def test_pages_and_broken_files_of_xml():
    page = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>10<sup>9</sup></p></body></html>'
    assert text("a.xml", page) == "10^9"
    (document,), (remark,) = read("a.xml", "<a>open")
    assert document.text == "```xml\n<a>open\n```"
    assert "is not valid XML" in remark.text
    bomb = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;"><!ENTITY f SYSTEM "file:///etc/hostname">]><a>x&c;&f;y</a>'
    assert text("a.xml", bomb) == "a: x&c;&f;y"  # entities stay as they are written


@pytest.mark.parametrize(
    ("name", "source", "right"),
    [
        (
            "a.adoc",
            "= Pumps\n:author: Ann\n\n// hidden\nUse 7 bar.\n\n== Valves\n[source,python]\n----\n== no\n----\n",
            "# Pumps\n\nUse 7 bar.\n\n## Valves\n\n```\n== no\n```",
        ),
        (
            "a.org",
            "#+TITLE: Manual\n* TODO Pumps :tag:\n# hidden\nUse 7 bar.\n** Valves\n#+begin_src sh\n* no\n#+end_src\n",
            "\\#+TITLE: Manual".replace("\\", "")
            + "\n\n# Pumps\n\nUse 7 bar.\n\n## Valves\n\n```\n* no\n```",
        ),
        (
            "a.tex",
            "\\title{Manual}\n% hidden\n\\section{Pumps}\\label{s}\nUse $10^9$ bar.\n\\subsection*{Valves}\n"
            "\\begin{verbatim}\n\\section{no}\n\\end{verbatim}\n",
            "\\title{Manual}\n\n## Pumps\n\nUse $10^9$ bar.\n\n### Valves\n\n```\n\\section{no}\n```",
        ),
    ],
)
def test_headings_and_code_of_other_languages_of_text(name, source, right):
    (document,), _ = read(name, source)
    assert document.text == right
    assert document.title == ("Pumps" if name == "a.adoc" else "Manual")


def test_tables_of_xml_have_the_names_of_their_head():
    foot = "<tfoot><row><entry>Total</entry><entry>3</entry></row></tfoot>"
    head = "<thead><row><entry>Item</entry><entry>Qty</entry></row></thead>"
    rows = "<row><entry morerows='1'>A</entry><entry>1</entry></row><row><entry>2</entry></row>"
    (document,) = load_file(
        "a.xml", f"<book><tgroup>{foot}{head}<tbody>{rows}</tbody></tgroup></book>".encode()
    )
    assert document.text == "Item: A; Qty: 1\nItem: A; Qty: 2\nItem: Total; Qty: 3"


def test_raised_digits_and_neighbours_in_xml_do_not_run_together():
    (document,) = load_file("a.xml", b"<doc><para>10<sup>9</sup> <v>5</v><v>-6</v> <b>b</b>old</para></doc>")
    assert document.text == "10^9 5 -6 bold"


def test_attributes_of_a_field_stay_in_its_record():
    item = "<item><name>{}</name><price cur='{}'>{}</price></item>"
    items = item.format("A", "EUR", 5) + item.format("B", "USD", -6)
    (document,) = load_file("a.xml", f"<catalogue>{items}</catalogue>".encode())
    assert document.text == "name: A; price: 5; price cur: EUR\nname: B; price: -6; price cur: USD"


@pytest.mark.parametrize(
    "source",
    [
        '[["item", "price"], ["A", 5.10], ["B", -6]]',
        '{"columns": ["item", "price"], "data": [["A", 5.10], ["B", -6]]}',
    ],
)
def test_lists_of_equal_length_are_rows(source):
    (document,) = load_file("a.json", source.encode())
    assert document.text.endswith("item: A; price: 5.10\nitem: B; price: -6")


def test_records_of_json_show_numbers_as_they_are_written():
    (document,) = load_file("a.json", b'[{"item": "A", "price": 19.90, "sizes": [1.50, 2]}]')
    assert document.text == "item: A; price: 19.90; sizes: 1.50, 2"
    assert document.metadata["price"] == 19.9
