"""Whatever stands where in a sheet: each cell is read or named, and no two documents have one id."""

import csv
import io

from hypothesis import assume, given
from hypothesis import strategies as st

from retrieval.corpus import DEFAULT_LIMITS, Remark
from retrieval.corpus.loaders.sheets.cells import Sheet, SheetCell, SheetRow, Span, fill
from retrieval.corpus.loaders.sheets.loading import documents_of
from retrieval.corpus.loaders.sheets.regions import regions
from retrieval.corpus.loaders.table import load_table
from retrieval.corpus.loaders.tabular.parts import parts
from retrieval.corpus.loaders.tabular.records import Records
from retrieval.documents import Document

WORDS = st.sampled_from(
    ["name", "price", "Oslo", "Ada", "valve", "Source: me", "5", "12.5", "PPR-7", "a b c d", "id"]
)
GRIDS = st.lists(st.lists(st.one_of(st.just(""), WORDS), min_size=1, max_size=6), min_size=1, max_size=10)
SPANS = st.lists(st.tuples(*[st.integers(1, 6)] * 4), max_size=2)


def check(found, cells, tables):
    """Each cell is in a document or a remark, or names a column."""
    documents = [one for one in found if isinstance(one, Document)]
    remarks = [one for one in found if isinstance(one, Remark)]
    assert len(documents) + len(remarks) == len(found)
    assert len({one.id for one in documents}) == len(documents)
    said = [text for one in documents for text in (one.text, one.title)] + [one.text for one in remarks]
    said += [name for table in tables for name in table.columns.names]
    for cell in cells:
        assert any(cell in text for text in said), cell


@given(GRIDS, SPANS)
def test_every_cell_of_a_sheet_is_read(grid, spans):
    rows = [
        SheetRow(number, {at: SheetCell(cell, cell) for at, cell in enumerate(row, 1) if cell})
        for number, row in enumerate(grid, 1)
        if any(row)
    ]
    fill("b.xlsx", rows, [Span(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in spans])
    found = list(documents_of("b.xlsx", Sheet("Sheet1", rows), DEFAULT_LIMITS))
    tables = [table for region in regions(rows) for table in parts("b.xlsx", region.rows)]
    check(found, {cell for row in grid for cell in row if cell}, tables)


@given(GRIDS)
def test_every_cell_of_a_table_of_text_is_read(grid):
    assume(any(map(any, grid)))
    file = io.StringIO()
    csv.writer(file).writerows(grid)
    found = list(load_table("t.csv", file.getvalue().encode(), DEFAULT_LIMITS))
    tables = list(parts("t.csv", Records(file.getvalue()), commas_part=True))
    check(found, {cell for row in grid for cell in row if cell}, tables)
