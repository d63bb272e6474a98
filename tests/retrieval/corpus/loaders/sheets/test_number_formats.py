"""Numbers are shown by their format codes as spreadsheet programs show them."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import load_file
from retrieval.corpus.loaders.sheets.number_formats import general, shown_number, shown_text
from tests.support.workbooks import xlsx


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1e20, "General", "1E+20"),
        (-0.5, "0", "-1"),
        (-0.4, "0", "0"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (0.5, ".00", ".50"),
        (1234567, "#,##0", "1,234,567"),
        (1234567, "#,##0,", "1,235"),
        (1234567, '0.0,,"M"', "1.2M"),
        (0, "#,##0;-#,##0;-", "-"),
        (-1234.5, "#,##0.00;[Red]#,##0.00", "-1,234.50"),
        (-1234.5, "#,##0.00_);(#,##0.00)", "(1,234.50)"),
        (-1234.5, '_-* #,##0.00 "€"_-;-* #,##0.00 "€"_-', "-1,234.50 €"),
        (5, '0 "days"', "5 days"),
        (5, r"0\ \k\g", "5 kg"),
        (7, "000", "007"),
        (123456789, "000-00-0000", "123-45-6789"),
        (5551234, "###-####", "555-1234"),
        (1.5, "0.0#", "1.5"),
        (1.0, "0.##", "1"),
        (0.07, "0.0%", "7.0%"),
        (12345, "0.00E+00", "1.23E+04"),
        (0.5, "# ?/?", "0.5"),
        (1500, '[>=1000]#,##0.0,"K";0', "1.5K"),
        (500, '[>=1000]#,##0.0,"K";0', "500"),
        (1, '"yes";;"no"', "yes"),
        (0, '"yes";;"no"', "no"),
        (5, ";;;", ""),
        (45413, "yyyy-mm-dd", "2024-05-01"),
        (45413, "[$-407]d. mmmm yyyy", "2024-05-01"),
        (45413.75, "h:mm AM/PM", "18:00"),
        (45413.999999, "d.m.yy h:mm", "2024-05-02 00:00"),
        (0.0104166667, "mm:ss", "00:15:00"),
        (59, "d.m.yyyy", "1900-02-28"),
        (60, "d.m.yyyy", "60"),
        (61, "d.m.yyyy", "1900-03-01"),
        (-5, "d.m.yyyy", "-5"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (5, 'General" pieces"', "5 pieces"),
    ],
)
def test_a_number_by_its_code(number, code, text):
    assert shown_number(number, code).text == text


def test_per_cent_are_numbers_as_shown():
    assert shown_number(0.1925, "0.00%").number == 19.25
    assert shown_number(0.07, "0%").number == 7
    assert shown_number(0.1 + 0.2, "0.0").number == 0.3
    assert shown_number(45413, "d.m.yyyy").number is None


@pytest.mark.parametrize(
    ("number", "code"), [(1234, "00000"), (123456789, "000-00-0000"), (5551234, "###-####")]
)
def test_codes_are_no_numbers(number, code):
    assert shown_number(number, code).number is None


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [("a", "General", "a"), ("5", '"No. "@', "No. 5"), ("a", "0;-0;0;@", "a"), ("a", "0;;;", "")],
)
def test_a_text_by_its_code(text, code, shown):
    assert shown_text(text, code) == shown


NUMBERS = st.floats(-1e12, 1e12, allow_nan=False).map(lambda number: float(f"{number:.12g}"))


@given(NUMBERS, st.integers(0, 6))
def test_decimals_are_rounded_as_people_round(number, places):
    code = "0" + ("." + "0" * places if places else "")
    exact = Decimal(f"{number:.15g}").quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert Decimal(shown_number(number, code).text) == exact
    assert shown_number(number, f"#,##{code}").text.replace(",", "") == shown_number(number, code).text


@given(NUMBERS)
def test_a_number_without_a_format_keeps_its_digits(number):
    assert float(general(number)) == number


@given(st.text(st.sampled_from('0#?.,%E+-/@;"[]$€\\_* ydmhs1aG'), max_size=14), NUMBERS)
def test_no_code_fails(code, number):
    shown = shown_number(number, code)
    assert isinstance(shown.text, str)


def test_long_identifiers_keep_their_digits():
    long = {"xl/worksheets/sheet1.xml": lambda part: part.replace("4929123456781234", "12345678901234567890")}
    for change, digits in (({}, "4929123456781234"), (long, "12345678901234567890")):
        (row,) = load_file("a.xlsx", xlsx([["account", "sum"], [4929123456781234, 5]], change=change))
        assert row.text == f"account: {digits}; sum: 5"
        assert row.metadata["account"] == digits
