"""Numbers as a list shows them: `4`, `iv`, `d`, `④`, `四`."""

from __future__ import annotations

from retrieval.corpus.loaders.web.lists import roman

_AIUEO = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
_LETTERS = {
    "lowerLetter": "abcdefghijklmnopqrstuvwxyz",
    "russianLower": "абвгдежзиклмнопрстуфхцчшщыэюя",
    "hebrew2": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabicAlpha": "أبتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "ganada": "가나다라마바사아자차카타파하",
    "chosung": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "aiueo": _AIUEO,
    "aiueoFullWidth": _AIUEO,
    "iroha": _IROHA,
    "irohaFullWidth": _IROHA,
    "chicago": "*†‡§",
}
_DIGITS = {
    "decimalFullWidth": "０１２３４５６７８９",
    "decimalFullWidth2": "０１２３４５６７８９",
    "hindiNumbers": "०१२३४५६७८९",
    "thaiNumbers": "๐๑๒๓๔๕๖๗๘๙",
    "ideographDigital": "〇一二三四五六七八九",
    "japaneseDigitalTenThousand": "〇一二三四五六七八九",
    "taiwaneseDigital": "○一二三四五六七八九",
    "koreanDigital": "영일이삼사오육칠팔구",
}
_COUNTED = {
    "chineseCounting": "一二三四五六七八九十",
    "chineseCountingThousand": "一二三四五六七八九十",
    "japaneseCounting": "一二三四五六七八九十",
    "taiwaneseCounting": "一二三四五六七八九十",
    "taiwaneseCountingThousand": "一二三四五六七八九十",
    "koreanCounting": "일이삼사오육칠팔구십",
}
_FIRST_OF = {
    "decimalEnclosedCircle": ("①", 20),
    "decimalEnclosedCircleChinese": ("①", 20),
    "decimalEnclosedFullstop": ("⒈", 20),
    "decimalEnclosedParen": ("⑴", 20),
    "ideographEnclosedCircle": ("㊀", 10),
}
_UNITS = (
    "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve",
    "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen",
)  # fmt: skip
_TENS = ("Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
_ORDINALS = {
    "One": "First", "Two": "Second", "Three": "Third", "Five": "Fifth", "Eight": "Eighth", "Nine": "Ninth",
    "Twelve": "Twelfth",
}  # fmt: skip
_MOST_LETTERS = 20


def counted(number: int, form: str) -> str:
    """A number in a form as Word names it; in digits where the form is not known or has no sign for it.

    >>> [counted(28, form) for form in ("decimalZero", "upperRoman", "lowerLetter", "ordinalText")]
    ['28', 'XXVIII', 'bb', 'Twenty-eighth']
    """
    if form == "decimalZero":
        return f"{number:02d}"
    if form == "numberInDash":
        return f"- {number} -"
    if form.startswith("upper"):
        return counted(number, f"lower{form[5:]}").upper()
    if form == "russianUpper":
        return counted(number, "russianLower").upper()
    if form in _DIGITS:
        return "".join(_DIGITS[form][int(digit)] for digit in str(abs(number)))
    return _spelled(number, form) if number > 0 else str(number)


def _spelled(number: int, form: str) -> str:
    if form == "lowerRoman" and number < 4000:
        return roman(number)
    if form in _LETTERS:
        turns, at = divmod(number - 1, len(_LETTERS[form]))
        return _LETTERS[form][at] * (turns + 1) if turns < _MOST_LETTERS else str(number)
    if form in _FIRST_OF and number <= _FIRST_OF[form][1]:
        return chr(ord(_FIRST_OF[form][0]) + number - 1)
    if form in _COUNTED and number < 100:
        return _in_tens(number, _COUNTED[form])
    if form == "ordinal":
        return f"{number}{_suffix(number)}"
    if form in ("cardinalText", "ordinalText") and number < 100:
        return _in_words(number, ordinal=form == "ordinalText")
    return str(number)


def _in_tens(number: int, signs: str) -> str:
    tens, units = divmod(number, 10)
    written = (signs[tens - 1] if tens > 1 else "") + (signs[9] if tens else "")
    return written + (signs[units - 1] if units else "")


def _suffix(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _in_words(number: int, *, ordinal: bool) -> str:
    tens, units = divmod(number, 10)
    words = (
        [_UNITS[number - 1]] if number < 20 else [_TENS[tens - 2], *([_UNITS[units - 1]] if units else [])]
    )
    if ordinal:
        last = words[-1]
        words[-1] = _ORDINALS.get(last, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return "-".join([words[0], *(word.lower() for word in words[1:])])
