"""Headers of several rows name each column in full, and columns that are named anew keep no old names."""

import pytest

from retrieval.corpus import load_file
from retrieval.types import Document


def texts(table, name="t.csv"):
    return [one.text for one in load_file(name, table.encode()) if isinstance(one, Document)]


@pytest.mark.parametrize(
    "header",
    [
        "item,q1,,q2,\n,units,sum,units,sum",
        ",q1,,q2,\nitem,units,sum,units,sum",
        ",q1,q1,q2,q2\nitem,units,sum,units,sum",
    ],
)
def test_groups_of_columns_are_part_of_their_names(header):
    assert texts(f"{header}\nA,1,2,3,4\nB,5,,7,-8\n") == [
        "item: A; q1 units: 1; q1 sum: 2; q2 units: 3; q2 sum: 4",
        "item: B; q1 units: 5; q2 units: 7; q2 sum: -8",
    ]


@pytest.mark.parametrize("units", [",EUR,pcs", "Unit,EUR,pcs"])
def test_units_below_the_names_are_part_of_them(units):
    first, second = load_file("t.csv", f"item,price,stock\n{units}\nBolt,1.25,3\nNut,-0.5,10\n".encode())
    assert first.text == "item: Bolt; price EUR: 1.25; stock pcs: 3"
    assert second.metadata == {"source": "t.csv", "item": "Nut", "price EUR": -0.5, "stock pcs": 10}


def test_units_as_values_are_rows():
    assert texts("code,unit\nA,kg\nB,m\n") == ["code: A; unit: kg", "code: B; unit: m"]


def test_a_line_above_the_names_is_no_group():
    assert texts("Prices,2024\nsku,price\nA,5\nB,6\n") == [
        "Prices,2024",
        "sku: A; price: 5",
        "sku: B; price: 6",
    ]


def test_columns_may_be_named_anew_without_a_blank_row():
    table = "City,Min,Max\nOslo,-5,20\nRome,3,35\nCity,Low,High\nTokyo,3,30\n"
    assert texts(table)[1:] == ["City: Rome; Min: 3; Max: 35", "City: Tokyo; Low: 3; High: 30"]


def test_a_value_that_is_the_name_of_its_column_names_nothing():
    assert texts("name,note\nAda,w\nBo,x\nname,y\nCy,z\n")[-1] == "name: Cy; note: z"
