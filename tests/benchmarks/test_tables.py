import random

import pytest
from excerpta import Client

from benchmarks.tables.benchmark import CASES, ask, indexed, tables
from benchmarks.tables.facts import countries, elements
from benchmarks.tables.files import write
from benchmarks.tables.made import on_call, staff
from retrieval.corpus import load_file
from retrieval.types import Document


@pytest.mark.parametrize(
    "table", [elements(), countries(), on_call(0), staff(0).first(60)], ids=lambda one: one.file
)
def test_every_row_of_a_table_is_read_from_its_file_with_all_cells(table, tmp_path):
    write(table, tmp_path)
    loaded = load_file(table.file, (tmp_path / table.file).read_bytes())
    documents = [one for one in loaded if isinstance(one, Document)]
    rows = [one.text[mark.start : mark.end] for one in documents for mark in one.marks if mark.kind == "row"]
    expected = ["; ".join(f"{name}: {cell}" for name, cell in row.items() if cell) for row in table.rows]
    assert rows == expected


def test_tables_and_questions_are_those_of_their_seed():
    first, second = ([one.first(50) for one in tables(3)] for _ in range(2))
    assert [one.rows for one in first] == [one.rows for one in second]
    asked = [[one.questions(10, random.Random(1)) for one in some] for some in (first, second)]
    assert asked[0] == asked[1]
    assert [len({one.row for one in some}) for some in asked[0]] == [10] * 10


def test_the_row_that_answers_is_the_first_hit(tmp_path, small_models, models_dir):
    (tmp_path / "models").symlink_to(models_dir / "models")
    made = [countries().first(60), on_call(5).first(30), staff(5).first(40)]
    chance = random.Random(5)
    with Client.local(tmp_path) as client:
        collection = indexed(client, made)
        found = [
            ask(collection, table, question, CASES["fast"])
            for table in made
            for question in table.questions(7, chance)
        ]
    assert sum(one.rank == 0 for one in found) >= 0.9 * len(found)
    assert sum(one.cell for one in found) >= 0.9 * len(found)
