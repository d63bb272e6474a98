"""Numbers are metadata as numbers where a whole column writes them one way; the text keeps what is written."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import load_file
from retrieval.types import Document


def column(*cells, delimiter=";", name="amount", **others):
    """The metadata of a column with these cells, beside other columns."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["sku", name, *others])
    for at, cell in enumerate(cells):
        writer.writerow([f"part {at}", cell, *(other[at] for other in others.values())])
    documents = [one for one in load_file("t.csv", file.getvalue().encode()) if isinstance(one, Document)]
    for cell, document in zip(cells, documents, strict=True):
        assert f"{name}: {' '.join(cell.split())}" in document.text
    return [one.metadata[name] for one in documents]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.234,50", "19,25"], [1234.5, 19.25]),
        (["1,234.50", "19.25"], [1234.5, 19.25]),
        (["1.234.567", "-12"], [1234567, -12]),
        (["1,234,567", "999"], [1234567, 999]),
        (["1 234,50", "12"], [1234.5, 12]),
        (["12'500.00", "7"], [12500, 7]),
        (["1\u202f234", "999"], [1234, 999]),
        (["19 %", "7,5 %"], [19, 7.5]),
        (["19%", "7.5%"], [19, 7.5]),
        (["$1,234.50", "-$3.00"], [1234.5, -3]),
        (["5,00 €", "1.200,00 €"], [5, 1200]),
        (["EUR 5.00", "EUR 7.25"], [5, 7.25]),
        (["100 kr", "1 200 kr"], [100, 1200]),
        (["−5", "3", "n/a"], [-5, 3, "n/a"]),
        (["12,345", "0,5", "-"], ["12,345", "0,5", "-"]),
        (["0,123", "0,456"], [0.123, 0.456]),
    ],
)
def test_numbers_of_one_form(cells, numbers):
    assert column(*cells) == numbers


@pytest.mark.parametrize(
    "cells",
    [
        ["1,234", "12,5"],
        ["1,234", "1.234"],
        ["1.234,5", "1,234.5"],
        ["€5", "$5"],
        ["5 %", "5"],
        ["00123", "45678"],
        ["912 345 678", "912 345 679"],
        ["+4791234567", "+4791234568"],
        ["12,5", "about 7"],
        ["1.2.3", "1.2.4"],
        ["12345678901234567890", "1"],
    ],
)
def test_a_column_that_could_be_read_in_two_ways_stays_text(cells):
    assert column(*cells) == cells


@pytest.mark.parametrize("name", ["PLZ", "Telephone", "zip code", "ISBN"])
def test_codes_in_digits_stay_text(name):
    assert column("90210", "10115", name=name) == ["90210", "10115"]


def test_another_column_tells_what_a_point_is():
    assert column("1.234", "2.500", other=["12,5", "3,75"]) == [1234, 2500]
    assert column("1.234", "2.500", other=["12.5", "3.75"]) == [1.234, 2.5]
    assert column("1,234", "2,500", other=["12,5", "3,75"]) == ["1,234", "2,500"]
    assert column("1,234", "2,500", delimiter=",") == [1234, 2500]


def test_dates_are_text_in_their_own_order():
    assert column("2024-05-01", "2023-12-31") == ["2024-05-01", "2023-12-31"]
    assert column("01.05.2024", "31.12.2023") == ["01.05.2024", "31.12.2023"]


@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), min_size=1, max_size=12),
    st.sampled_from([("", "."), (",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ",")]),
    st.sampled_from(["{}", "{} %", "€ {}", "{} EUR"]),
    st.sampled_from(",;\t|"),
)
def test_every_way_to_write_an_amount_gives_its_number(amounts, signs, unit, delimiter):
    groups, decimal = signs
    written = [
        unit.format(f"{one:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", groups))
        for one in amounts
    ]
    assert column(*written, delimiter=delimiter) == [float(one) for one in amounts]


def test_thousands_that_may_be_decimals_stay_text():
    assert column("1.234", "-900", delimiter=";") == ["1.234", "-900"]
    assert column("1.234", "-900", delimiter=",") == [1.234, -900]


def test_codes_that_look_like_powers_stay_text():
    assert column("1E5", "20E3") == ["1E5", "20E3"]
    assert column("1.0E5", "2e-3") == [1e5, 2e-3]
