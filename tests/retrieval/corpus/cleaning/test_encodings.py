"""Text in old encodings is read, and a guess is said to be one."""

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.errors import UnreadableDocument

TEXTS = {
    "Russian": (
        "Гарантия на изделие составляет два года со дня покупки.",
        ["cp1251", "koi8-r", "iso8859-5", "cp866"],
    ),
    "Ukrainian": ("Гарантійний термін виробу становить два роки з дня придбання.", ["cp1251", "koi8-u"]),
    "Bulgarian": ("Гаранционният срок на изделието е две години от деня на покупката.", ["cp1251"]),
    "Chinese": ("本产品保修期为两年，自购买之日起计算。退货须在十五天内办理。", ["gbk", "gb18030"]),
    "Taiwanese": ("本產品保固期為兩年，自購買之日起計算。退貨須在十五日內辦理。", ["big5"]),
    "Japanese": ("本製品の保証期間は購入日から二年間です。返品は十五日以内です。", ["shift_jis", "euc_jp"]),
    "Korean": ("이 제품의 보증 기간은 구입일로부터 2년입니다. 반품은 15일 이내입니다.", ["euc_kr"]),
    "German": (
        "Die Gewährleistung beträgt zwei Jahre. Größe und Maße auf Seite drei.",
        ["cp1252", "mac-roman", "cp850"],
    ),
    "French": ("Le délai est de quinze jours à condition de présenter le reçu.", ["cp1252", "mac-roman"]),
    "Spanish": ("La garantía es de dos años a partir de la fecha; el señor Muñoz también.", ["cp1252"]),
    "Polish": (
        "Zwrot jest możliwy w ciągu piętnastu dni, jeżeli dołączono paragon.",
        ["cp1250", "iso8859-2"],
    ),
    "Czech": ("Vrácení je možné do patnácti dnů, pokud je přiložena účtenka.", ["cp1250", "iso8859-2"]),
    "Hungarian": ("Tartsa nyomva a gombot tíz másodpercig, őrizze meg a számlát.", ["cp1250", "iso8859-2"]),
    "Greek": ("Η εγγύηση για αυτή τη συσκευή είναι δύο έτη από την αγορά.", ["cp1253", "iso8859-7"]),
    "Turkish": (
        "Bu cihazın garantisi satın alma tarihinden itibaren iki yıldır. Şarj kablosu değişir.",
        ["cp1254"],
    ),
    "Hebrew": ("האחריות על מכשיר זה היא שנתיים מיום הרכישה.", ["cp1255"]),
    "Arabic": ("مدة ضمان هذا الجهاز سنتان من تاريخ الشراء.", ["cp1256"]),
    "Thai": ("การรับประกันของอุปกรณ์นี้คือสองปีนับจากวันที่ซื้อ", ["tis-620"]),
}
CASES = [(text, encoding) for text, encodings in TEXTS.values() for encoding in encodings]


@pytest.mark.parametrize(("text", "encoding"), CASES)
def test_old_encodings_are_guessed(text, encoding):
    found = decoded("a.txt", text.encode(encoding))
    assert found.text == text
    assert "a guess" in found.remark.text


@pytest.mark.parametrize(
    ("text", "encoding"), [("a “quoted” word – 5 €", "cp1252"), ("naïve café", "cp1252"), ("Ärger", "cp1252")]
)
def test_short_western_text(text, encoding):
    assert decoded("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize("text", [text for text, _ in TEXTS.values()])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(text, encoding):
    found = decoded("a.txt", f"{text}\n2024 OK\n".encode(encoding))
    assert found.text == f"{text}\n2024 OK\n"
    assert "byte order mark" in found.remark.text


@pytest.mark.parametrize("text", [text for text, _ in TEXTS.values()])
def test_a_stray_byte_in_utf_8_is_one_sign(text):
    first, last = text[: len(text) // 2], text[len(text) // 2 :]
    found = decoded("a.txt", first.encode() + b"\xff" + last.encode())
    assert found.text == f"{first}\ufffd{last}"
    assert "1 byte that is not UTF-8" in found.remark.text


@pytest.mark.parametrize(
    ("text", "encoding"), [(TEXTS["Chinese"][0], "gbk"), (TEXTS["Russian"][0], "cp1251")]
)
def test_a_stray_byte_in_another_encoding(text, encoding):
    stray = {"gbk": b"\xff", "cp1251": b"\x98"}[encoding]
    data = text.encode(encoding) + stray + text.encode(encoding)
    assert decoded("a.txt", data).text == f"{text}\ufffd{text}"


def test_utf_8_is_never_doubted():
    assert decoded("a.txt", "Größe".encode()).remark is None
    assert decoded("a.txt", b"plain").remark is None


@pytest.mark.parametrize(
    "data",
    [b"abc\0def", bytes(range(1, 32)) * 10 + b"\xff", b"\0\0\0\0\x01\x02", b"\x7fELF\x02\x01\x01\0\0\0"],
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(UnreadableDocument, match="is not text"):
        decoded("a.txt", data)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a.py"])
def test_the_guess_stands_beside_the_document(name):
    found = list(load_file(name, "text\nGrüße aus Köln und Düsseldorf".encode("cp1252")))
    assert "Grüße aus Köln" in found[0].text
    assert [remark.text for remark in found if isinstance(remark, Remark)] == [
        "read as CP1252, a guess; save it as UTF-8"
    ]


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("gb2312", "gb18030", "保修期为两年"),
        ("iso-8859-1", "cp1252", "“ü” – 5 €"),
        ("iso-8859-1", "utf-8", "“ü” – 5 €"),
        ("shift_jis", "cp932", "保証期間①"),
        ("iso-8859-9", "cp1254", "yıldır – ş"),
    ],
)
def test_declared_encodings_are_read_as_browsers_do(declared, encoding, text):
    page = f"<meta charset={declared}><p>{text}".encode(encoding)
    (document,) = load_file("a.html", page)
    assert document.text == text


def test_the_end_sign_of_dos_is_no_text():
    assert decoded("a.txt", b"Fee 5\r\n\x1a").text == "Fee 5\r\n"
    for encoding in ("utf-16", "utf-16-be", "utf-8-sig"):
        text = "Fee 5 for a friend of NOVÁ KLADRUBĚ"  # the last byte of its last letter is 1A in UTF-16
        mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
        assert decoded("a.txt", mark + text.encode(encoding)).text == text
