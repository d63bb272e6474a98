"""Numbers as people write them: with decimal commas, thousands apart, percent and currency signs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from retrieval.corpus.values import typed

_CURRENCY = (
    r"[$€£¥₹₽₩₺₴₪₫฿₦₱]|(?:US|A|C|CA|AU|NZ|HK|S|R)\$|kr\.?|zł|Kč|Ft|Fr\.|lei|лв|руб\.?|元|円|"
    r"EUR|USD|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|AUD|CAD|NZD|BRL|MXN|ZAR|KRW|SGD|HKD"
)
_FORM = re.compile(
    rf"(?P<sign>[-+−–]?)\s?(?P<before>{_CURRENCY})?\s?(?P<inner>[-−]?)"
    r"(?P<body>\d(?:[\d.,'’\u00a0\u202f\u2009 ]*\d)?|\.\d+)(?P<power>[eE][-+]?\d{1,3})?"
    rf"\s?(?P<after>%|‰|{_CURRENCY})?"
)
_WHOLE = re.compile(r"0|[1-9]\d{0,17}")
_ONE_POINT = re.compile(r"(0|[1-9]\d{0,17})?\.(\d{1,30})")
_ONE_COMMA = re.compile(r"(0|[1-9]\d{0,17}),(\d{1,30})")
_COMMA_GROUPS = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?:,\d{2})+,\d{3})(\.\d{1,30})?")
_POINT_GROUPS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(,\d{1,30})?")
_SPACE = r"[\u00a0\u202f\u2009 ]"
_SPACE_GROUPS = re.compile(rf"[1-9]\d{{0,2}}(?:(?:{_SPACE}\d{{3}})+|(?:['’]\d{{3}})+)([.,]\d{{1,30}})?")
_PHONE_DIGITS = 7
# Columns of codes that are written in digits, by a word of their name.
_CODES = frozenset(
    (
        "zip",
        "zipcode",
        "postcode",
        "postal",
        "plz",
        "postleitzahl",
        "postnummer",
        "phone",
        "telephone",
        "tel",
        "telefon",
        "telefono",
        "téléphone",
        "mobile",
        "mobil",
        "fax",
        "isbn",
        "issn",
        "ean",
        "gtin",
        "upc",
        "iban",
        "bic",
        "version",
    )
)


class Decimals(Enum):
    """Which sign stands before decimals."""

    POINT = "."
    COMMA = ","


class _Form(Enum):
    """What the signs in a number tell of the way in which it is written."""

    PLAIN = "digits alone"
    POINT = "decimals behind a point, or thousands apart by commas"
    COMMA = "decimals behind a comma, or thousands apart by points"
    SPACES = "thousands apart by spaces"
    EITHER_COMMA = "1,234: thousands apart, or decimals"
    EITHER_POINT = "1.234: decimals, or thousands apart"


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it is written: its sign, digits with what stands between them, power of ten, and unit."""

    negative: bool
    body: str
    power: str
    unit: str
    form: _Form

    def value(self, decimals: Decimals) -> int | float:
        """What it is, once the sign before its decimals is known."""
        if self.form is _Form.PLAIN and not self.power:
            return -int(self.body) if self.negative else int(self.body)
        digits = re.sub(rf"{_SPACE}|['’]|[{',' if decimals is Decimals.POINT else '.'}]", "", self.body)
        value = typed(f"{'-' * self.negative}{digits.replace(',', '.')}{self.power}")
        return value if isinstance(value, (int, float)) else math.nan


def number_form(text: str) -> Written | None:
    """The number that a text is; None if it is none. Codes such as `007` and +4791234567 are none.

    >>> number_form("-1.234,50 €").value(Decimals.COMMA), number_form("00123"), number_form("19.25 %").unit
    (-1234.5, None, '%')
    """
    text = text.strip()
    if _is_plain(text):
        return Written(False, text, "", "", _Form.PLAIN)
    return _number_form(text) if any(map(str.isdigit, text[-60:])) and len(text) <= 60 else None


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18 and (text[0] != "0" or text == "0")


@lru_cache(maxsize=65_536)
def _number_form(text: str) -> Written | None:
    found = _FORM.fullmatch(text)
    if found is None or (found["before"] and found["after"]) or (found["sign"] and found["inner"]):
        return None
    body, power = found["body"], found["power"] or ""
    form = _form(body)
    digits = sum(map(str.isdigit, body))
    if form is None or (power and form not in (_Form.PLAIN, _Form.POINT, _Form.EITHER_POINT)):
        return None
    if form is _Form.PLAIN and power[1:2].isdigit():
        return None  # 1E5 is a part's number as often as a number
    if (found["sign"] == "+" and digits >= _PHONE_DIGITS and form in (_Form.PLAIN, _Form.SPACES)) or (
        power and not math.isfinite(float(body + power))
    ):
        return None
    unit = found["before"] or found["after"] or ""
    return Written(found["sign"] + found["inner"] in ("-", "−", "–"), body, power, unit, form)


def _form(body: str) -> _Form | None:
    if _WHOLE.fullmatch(body):
        return _Form.PLAIN
    if groups := _SPACE_GROUPS.fullmatch(body):
        decimals = groups[1] or ""
        return _Form.POINT if decimals[:1] == "." else _Form.COMMA if decimals else _Form.SPACES
    for one, groups_of, sure, either in (
        (_ONE_POINT, _POINT_GROUPS, _Form.POINT, _Form.EITHER_POINT),
        (_ONE_COMMA, _COMMA_GROUPS, _Form.COMMA, _Form.EITHER_COMMA),
    ):
        if one.fullmatch(body):
            return either if groups_of.fullmatch(body) else sure
    if _COMMA_GROUPS.fullmatch(body):
        return _Form.POINT
    return _Form.COMMA if _POINT_GROUPS.fullmatch(body) else None


@dataclass(slots=True)
class NumberColumn:
    """What the cells of one column have in common, as numbers; `add` them, then ask how to read them."""

    name: str = ""
    all_numbers: bool = True
    forms: set[_Form] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    _decimals: set[int] = field(default_factory=set)
    _digits: set[int] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Takes in a cell that is not blank."""
        number = number_form(text) if self.all_numbers else None
        if number is None:
            self.all_numbers = False
            return
        self.forms.add(number.form)
        self.units.add(number.unit)
        self._digits.add(sum(map(str.isdigit, number.body)))
        if number.form in (_Form.COMMA, _Form.EITHER_COMMA) and "," in number.body:
            self._decimals.add(len(number.body) - number.body.rindex(",") - 1)

    def decimals(self, table: Iterable[NumberColumn], *, commas_part: bool = True) -> Decimals | None:
        """The sign before the decimals of all of its numbers; None where it has others, or none is sure.

        `table` are all columns: where a column does not say what its signs mean, the others may.
        `commas_part`: commas part the file's cells, so that one within a cell is no decimal sign.
        """
        if not self.forms or not self.all_numbers or len(self.units) > 1 or self._is_code():
            return None
        forms = self.forms
        sure = forms & {_Form.POINT, _Form.COMMA}
        if len(sure) == 2 or (not sure and {_Form.EITHER_POINT, _Form.EITHER_COMMA} <= forms):
            return None
        if _Form.COMMA in forms:
            return None if _Form.EITHER_COMMA in forms and self._decimals != {3} else Decimals.COMMA
        if _Form.POINT in forms:
            return Decimals.POINT
        others = set().union(*(one.forms for one in table if one.all_numbers and not one._is_code()))
        others &= {_Form.POINT, _Form.COMMA}
        if _Form.EITHER_COMMA in forms:
            return self._of_groups(others, commas_part=commas_part)
        if _Form.EITHER_POINT in forms and _Form.COMMA in others:
            return Decimals.COMMA if others == {_Form.COMMA} else None
        # Where commas do not part the cells, 1.234 may be a thousand and more.
        is_sure = commas_part or _Form.POINT in others or _Form.EITHER_POINT not in forms
        return Decimals.POINT if is_sure else None

    def _of_groups(self, others: set[_Form], *, commas_part: bool) -> Decimals | None:
        """For numbers such as 1,234 alone, or beside 999: thousands apart, unless another column has 12,5."""
        if _Form.COMMA in others:
            return None
        grouped = _Form.POINT in others or _Form.PLAIN in self.forms or commas_part
        return Decimals.POINT if grouped else None

    def _is_code(self) -> bool:
        """Whether its digits are no quantity: by its name, or in groups of one length, as phone numbers."""
        if set(re.findall(r"[^\W\d_]+", self.name.lower())) & _CODES:
            return True
        return (
            _Form.SPACES in self.forms
            and self.forms == {_Form.SPACES}
            and self.units == {""}
            and len(self._digits) == 1
            and min(self._digits) >= _PHONE_DIGITS
        )
