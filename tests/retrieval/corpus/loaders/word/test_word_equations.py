"""Equations of Word documents have the form that the same equation has in a web page."""

import pytest

from retrieval.corpus import load_file
from tests.support.packages.word import r, word_file


def text_of(formula, around="{}"):
    math = around.format(f"<m:oMath>{formula}</m:oMath>")
    (document,) = load_file("a.docx", word_file(f"<w:p>{r('So ')}{math}{r(' holds.')}</w:p>"))
    return document.text.removeprefix("So").removesuffix("holds.").strip()


def t(text):
    return f"<m:r><m:t>{text}</m:t></m:r>"


def of(name, **parts):
    return f"<m:{name}>{''.join(f'<m:{key}>{part}</m:{key}>' for key, part in parts.items())}</m:{name}>"


E, TWO = t("x"), t("2")
SUM = (
    '<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{}</m:sub><m:sup>{}</m:sup><m:e>{}</m:e></m:nary>'
)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (t("F=m·a"), "F = m · a"),
        (t("F") + t("=") + t("m") + t("a"), "F = m a"),
        (t("v") + t("ma") + t("xi") + t("mum"), "v maximum"),
        (t("p=1") + t("3") + t(".5"), "p = 13.5"),
        (of("sSup", e=E, sup=TWO), "x^2"),
        (of("sSup", e=t("10"), sup=t("-6")), "10^-6"),
        (of("sSup", e=t("e"), sup=t("n+1")), "e^(n + 1)"),
        (of("sSub", e=E, sub=t("1")), "x_1"),
        (of("sSubSup", e=E, sub=t("i"), sup=TWO), "x_i^2"),
        (of("sPre", sub=t("6"), sup=t("14"), e=t("C")), "_6^14 C"),
        (of("f", num=t("a+b"), den=TWO), "(a + b)/2"),
        (of("f", num=t("1"), den=t("2a")), "1/(2 a)"),
        (of("f", num=of("f", num=t("a"), den=t("b")), den=t("c")), "a/b/c"),
        ('<m:f><m:fPr><m:type m:val="noBar"/></m:fPr><m:num>' + t("n") + "</m:num><m:den>" + t("k") + "</m:den></m:f>", "n; k"),
        (of("rad", deg="", e=t("x+1")), "sqrt((x + 1))"),
        ('<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>' + E + "</m:e></m:rad>", "sqrt(x)"),
        (of("rad", deg=t("3"), e=E), "x^(1/3)"),
        (SUM.format(t("i=1"), t("n"), t("i")), "∑_(i = 1)^n i"),
        (SUM.format("", "", t("i")), "∑ i"),
        (of("nary", sub=t("0"), sup=t("1"), e=t("f")), "∫_0^1 f"),
        (of("d", e=t("a+b")), "(a + b)"),
        ('<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e>' + E + "</m:e></m:d>", "[x]"),
        (of("sSup", e=of("d", e=t("a+b")), sup=TWO), "(a + b)^2"),
        (of("func", fName=t("sin"), e=E), "sin x"),
        (of("func", fName=of("limLow", e=t("lim"), lim=t("x→0")), e=t("f")), "lim_(x → 0) f"),
        ('<m:acc><m:accPr><m:chr m:val="̂"/></m:accPr><m:e>' + E + "</m:e></m:acc>", "x̂"),
        ('<m:bar><m:barPr><m:pos m:val="top"/></m:barPr><m:e>' + E + "</m:e></m:bar>", "x̅"),
        ("<m:m><m:mr><m:e>" + t("a") + "</m:e><m:e>" + t("b") + "</m:e></m:mr><m:mr><m:e>" + t("c") + "</m:e><m:e>" + t("d") + "</m:e></m:mr></m:m>", "a, b; c, d"),
        ("<m:eqArr><m:e>" + t("x=1") + "</m:e><m:e>" + t("y=2") + "</m:e></m:eqArr>", "x = 1; y = 2"),
        (t("x=-b±c"), "x = -b ± c"),
        (t("a-b"), "a - b"),
        ("<m:r><m:rPr><m:nor/></m:rPr><m:t>non-linear part</m:t></m:r>", "non-linear part"),
        ("<m:box><m:e>" + t("x") + "</m:e></m:box>", "x"),
    ],
)  # fmt: skip
def test_equations(formula, text):
    assert text_of(formula) == text


@pytest.mark.parametrize(
    ("around", "text"),
    [
        ("<m:oMathPara>{}</m:oMathPara>", "x^2"),
        ("<w:ins>{}</w:ins>", "x^2"),
        ("<w:del>{}</w:del>", ""),
    ],
)
def test_where_equations_stand(around, text):
    assert text_of(of("sSup", e=E, sup=TWO), around) == text


def test_a_product_of_two_terms_in_brackets_is_one_base():
    product = of("d", e=t("a")) + of("d", e=t("b"))
    assert text_of(of("sSup", e=product, sup=TWO)) == "((a) (b))^2"


def test_the_same_equation_in_a_web_page():
    page = "<math><mi>E</mi><mo>=</mo><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><msup><mi>c</mi><mn>2</mn></msup></mfrac></math>"
    (document,) = load_file("a.html", f"<p>{page}".encode())
    assert text_of(t("E=") + of("f", num=t("a+b"), den=of("sSup", e=t("c"), sup=TWO))) == document.text


def test_deep_equations_end():
    deep = E
    for _ in range(70):
        deep = of("f", num=deep, den=TWO)
    assert "…" in text_of(deep)
