"""A first row is taken for names only where the rows below say so; where nothing does, it is not lost."""

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.corpus.loaders.tabular.header import Verdict, evidence
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.types import Document


def read(text, name="t.csv"):
    found = list(load_file(name, text.encode()))
    return [one for one in found if isinstance(one, Document)], [
        one.text for one in found if isinstance(one, Remark)
    ]


def verdict(text):
    first, *below = [Row(at, line.split(",")) for at, line in enumerate(text.strip().split("\n"), 1)]
    return evidence(first, below).verdict


@pytest.mark.parametrize(
    "text",
    [
        "Name,City\nAda,Oslo\nBo,Bergen",  # words that name columns
        "planet,moon\nEarth,Luna\nMars,Phobos",  # small letters over capitals
        "Land,Kürzel\nNorge,NO\nSverige,SE\nDanmark,DK",  # codes of one length
        "Was,Wo\nApfel,Regal\nBirne,Keller\nApfel,Keller\nBirne,Regal\nApfel,Regal\nBirne,Keller",  # few values
        "Teil,Lauf\nPPR-1,rechts\nPPR-22,links",  # codes of one shape
        "first_name,lives_in\nAda,Oslo\nBo,Bergen",
        "Vorgang,Zeit\nStart,8:30\nEnde,17:00",
        "Anlass,Tag\nTaufe,2024-05-01\nMesse,2024-06-02",
        "Wer,Post\nAda,ada@example.org\nBo,bo@example.org",
        "country,2019,2020\nNorway,5.3,5.4",
        "Wer,Wieviel\nAda,n/a\nBo,5\nCy,6",
    ],
)
def test_names_of_columns_are_told_from_data(text):
    assert verdict(text) is Verdict.NAMES


@pytest.mark.parametrize(
    "text",
    [
        "Ada,Oslo\nBo,Oslo\nCy,Oslo",  # a value that comes again
        "Ada,ada@example.org\nBo,bo@example.org",
        "2024-05-01,Taufe\n2024-06-02,Messe",
        "PPR-1,rechts\nPPR-22,links",
        "Ada,5\nBo,6",
        "true,Oslo\nfalse,Bergen",
    ],
)
def test_data_are_told_from_names_of_columns(text):
    assert verdict(text) is Verdict.DATA


@pytest.mark.parametrize("rows", ["Ada,Oslo\nBo,Bergen\nCy,Paris\n", "Wirkstoff;Handel\nIbuprofen;Aktren\n"])
def test_a_first_row_that_may_be_either_is_both(rows):
    documents, remarks = read(rows)
    lines = rows.splitlines()
    assert documents[0].text == lines[0]
    assert len(documents) == len(lines)
    assert len({one.id for one in documents}) == len(lines)
    assert documents[0].metadata == {"source": "t.csv"}
    assert "may name columns or be data" in remarks[0]


def test_words_alone_that_repeat_are_rows():
    documents, remarks = read("apple,fruit\npear,fruit\nleek,vegetable\n")
    assert [one.text for one in documents] == ["apple | fruit", "pear | fruit", "leek | vegetable"]
    assert "first row was read as data" in remarks[0]


@pytest.mark.parametrize(
    "text",
    [
        "text,a\n",
        "text\n",
        "Body\n\n",
        "id\n",
        "sku;name;price\n",
        "id\tTitel\tInhalt\n\n",
        "unit_price,qty\n",
    ],
)
def test_a_table_of_names_alone_says_so(text):
    documents, (remark,) = read(text)
    assert documents == []
    assert "no rows below them" in remark


@pytest.mark.parametrize("text", ["Some data\n", "price\n"])
def test_a_cell_of_its_own_is_read(text):
    (row,), (remark,) = read(text)
    assert "only row was read as data" in remark
    assert row.text == text.strip()


@pytest.mark.parametrize("text", ["alpha,beta\n", "Oslo;Bergen\n", "7;Oslo\n"])
def test_an_only_row_that_names_nothing_is_read(text):
    (row,), (remark,) = read(text)
    assert "only row was read as data" in remark
    assert " | " in row.text


def test_a_single_column_of_words_loses_no_line():
    documents, _ = read("red\ngreen\nblue\n")
    assert [one.text for one in documents] == ["red", "green", "blue"]


def test_names_of_columns_that_come_again_are_no_rows():
    documents, (remark,) = read("sku,price\nA,5\nsku,price\nB,7\n")
    assert [one.metadata["price"] for one in documents] == [5, 7]
    assert "row 3 was left out" in remark


@pytest.mark.parametrize("rows", ["id,x\n1,a\n1,b\n2,c\n", "_id;x\n2;a\n;b\n;c\n"])
def test_ids_that_do_not_tell_rows_apart_are_not_used(rows):
    documents, remarks = read(rows)
    assert [one.id for one in documents] == ["t.csv#1", "t.csv#2", "t.csv#3"]
    assert "rows' numbers" in remarks[0]


def test_a_second_table_has_its_own_names():
    documents, remarks = read("name,price\nA,1\nB,2\n\nTowns\ncity,people\nOslo,5\nBergen,6\n")
    assert [one.text for one in documents] == [
        "name: A; price: 1", "name: B; price: 2", "city: Oslo; people: 5", "city: Bergen; people: 6",
    ]  # fmt: skip
    assert documents[2].title == "Towns"
    assert any("2 tables" in remark for remark in remarks)


def test_a_blank_line_between_rows_begins_no_table():
    documents, remarks = read("name,price\n\nA,1\n\nB,2\n\nC,3\n")
    assert [one.metadata["name"] for one in documents] == ["A", "B", "C"]
    assert remarks == []
