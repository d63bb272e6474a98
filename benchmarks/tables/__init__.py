"""Questions over tables: whether the first hit has the row, and the span that it stands out for has the cell.

Ten tables of public facts and of a business, 62 to 2,000 rows, in CSV, TSV, XLSX, Markdown, HTML and PDF,
are indexed into one collection. `hits@1` and `hits@5`: a hit is of the table and has the row. `cell`: among
the lines of the first hit, the one with the most highlighted words is the row, with the cell that was asked
for. No answer is written.
"""

from benchmarks.tables.benchmark import add_options, run

__all__ = ["add_options", "run"]
