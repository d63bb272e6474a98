"""Sentence ends, each case in both forms: over a whole text, and while the text is written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from base.text import sentences as module
from base.text.sentences import End, next_end, sentences
from tests.support.speeds import examples


def whole(text):
    return [text[s.start : s.end] for s in sentences(text)]


def streamed(text, cuts=None):
    """The sentences, found as an answer is: text arrives in pieces, and each finished sentence is let go."""
    edges = (
        range(len(text) + 1) if cuts is None else [0, *sorted(c for c in cuts if c < len(text)), len(text)]
    )
    found, rest, scanned = [], "", 0
    for first, last in [*pairwise(edges), (len(text), len(text))]:
        rest += text[first:last]
        while True:
            certain, end = next_end(rest, 0, final=first == len(text), scanned=scanned)
            assert certain >= scanned
            scanned = certain
            if end is None:
                break
            assert 0 <= end.body <= end.stop <= end.gap
            assert scanned <= end.stop
            found.append(rest[: end.stop].strip())
            rest, scanned = rest[end.gap :], 0
    return [sentence for sentence in [*found, rest.strip()] if sentence]


CASES = [
    ("", []),
    (" \n\t ", []),
    ("One", ["One"]),
    ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
    ("Mr. and Mrs. Smith met Dr. Who. They left.", ["Mr. and Mrs. Smith met Dr. Who.", "They left."]),
    (
        "See Fig. 3 and No. 5. She said no. Then she left.",
        ["See Fig. 3 and No. 5.", "She said no.", "Then she left."],
    ),
    ("It costs 3.14 euros. Really.", ["It costs 3.14 euros.", "Really."]),
    ("Version 2.5. Then 3.", ["Version 2.5.", "Then 3."]),
    ("Use it, e.g. Redis. Or i.e. this.", ["Use it, e.g. Redis.", "Or i.e. this."]),
    (
        "J. R. R. Tolkien wrote. So did I. Then we read.",
        ["J. R. R. Tolkien wrote.", "So did I.", "Then we read."],
    ),
    (
        "The U.S. Army came. He lives in the U.S. They do too.",
        ["The U.S. Army came.", "He lives in the U.S.", "They do too."],
    ),
    ("Pens, paper etc. Also ink.", ["Pens, paper etc.", "Also ink."]),
    (
        "On Jan. 5 it began. It ended in Jan. Nothing else.",
        ["On Jan. 5 it began.", "It ended in Jan.", "Nothing else."],
    ),
    ('"Why?" he asked. "Go!" She went.', ['"Why?" he asked.', '"Go!"', "She went."]),
    ("(He left.) She stayed.", ["(He left.)", "She stayed."]),
    ("It is so.[12] That too.", ["It is so.[12]", "That too."]),
    ("It is so.[12][3] That too.", ["It is so.[12][3]", "That too."]),
    ("It is so.¹² That too.", ["It is so.¹²", "That too."]),
    ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
    ("1. Open it.\n2. Close it.\n- a\n- b", ["1. Open it.", "2. Close it.", "- a", "- b"]),
    ("wrapped\nline here. Next\nline.", ["wrapped\nline here.", "Next\nline."]),
    ("wrapped\r\nline\r\n\r\nnew paragraph", ["wrapped\r\nline", "new paragraph"]),
    ("我们去。你好吗？“好！”他说", ["我们去。", "你好吗？", "“好！”", "他说"]),
    ("यह है। वह भी।", ["यह है।", "वह भी।"]),
    ("see foo.com. The end", ["see foo.com.", "The end"]),
    ("all lower. case stays whole", ["all lower. case stays whole"]),
    # From the citations.
    (
        'Dr. Ng paid 3.50 dollars. Why? "So." He left.',
        ["Dr. Ng paid 3.50 dollars.", "Why?", '"So."', "He left."],
    ),
    ("See fig. 3 and No. 5. No. Yes.", ["See fig. 3 and No. 5.", "No.", "Yes."]),
    ("The U.S. Army. 1. First", ["The U.S. Army.", "1. First"]),
    (
        "It calls os.path.join, e.g. in a.b. Then it stops",
        ["It calls os.path.join, e.g. in a.b.", "Then it stops"],
    ),
    ("wrapped\nline.\nNext\n\nblock", ["wrapped\nline.", "Next", "block"]),
    ("你好。再见！", ["你好。", "再见！"]),
    ("one\r\ntwo\r\n\r\nthree", ["one\r\ntwo", "three"]),
    ("Dr. Ng paid. Why? So: - e.g. this", ["Dr. Ng paid.", "Why?", "So: - e.g. this"]),
    # What stands before and behind a stop.
    ("He wrote „So.“ Then he left.", ["He wrote „So.“", "Then he left."]),
    ("« Bonjour. » Il partit.", ["« Bonjour. »", "Il partit."]),
    ("Pourquoi ? Parce que. Bravo !", ["Pourquoi ?", "Parce que.", "Bravo !"]),
    ("¿Qué? ¡Ven! ¿Sí?", ["¿Qué?", "¡Ven!", "¿Sí?"]),
    ("He left. – and so on! — or not", ["He left. – and so on! — or not"]),
    (
        "It is so. *args is passed. (see below) `len` is it.",
        ["It is so.", "*args is passed.", "(see below) `len` is it."],
    ),
    (
        'Options. -b is bytes. "assert" is not.\n--all  all\n-h help',
        ["Options.", "-b is bytes.", '"assert" is not.', "--all  all", "-h help"],
    ),
    ("**Bold.** Next. `Code.` More.", ["**Bold.**", "Next.", "`Code.`", "More."]),
    (
        "Text\n-5 degrees\n- item\n  1) one\n> quoted\n| a |",
        ["Text\n-5 degrees", "- item", "1) one", "> quoted", "| a |"],
    ),
    ("Done.\n- item one\n* item two\n```\ncode", ["Done.", "- item one", "* item two", "```\ncode"]),
    ("1.2. Scope of it. 3. Next", ["1.2. Scope of it.", "3. Next"]),
    ("a. Open it. Then close it.", ["a. Open it.", "Then close it."]),
    ("Dr.\n\nSmith", ["Dr.", "Smith"]),
    ("one\rtwo\r\rthree", ["one\rtwo", "three"]),
]

WHOLE = """
The estate went to Rev. Smith and Lt. Jones in 1820.
This is covered in chap. 5 of the manual.
Für Reisen gilt vgl. Anhang A bzw. Anhang B.
Der Mast ist ca. 5 m hoch.
Ask Prof. Ada Lovelace, Gen. Lee, Capt. Cook, Sgt. Pepper, Gov. Brown and Rt. Hon. Smith.
Mr. Ng, Mrs. Ng, Ms. Ng and Messrs. Ng of St. Louis, Mt. Everest and Ft. Worth.
The Rev. Dr. Martin Luther King Jr. Memorial stands there.
Sr. García y la Sra. López vieron a la Dra. Ruiz y al Sr. De la Cruz.
Dña. María vive en la Av. Libertador núm. 3, pág. 4, cap. 2, art. 7.
El Prof. Ing. Pérez llegó a EE. UU. Unidos, p. ej. Miami, en el año 44 a. C. Roma.
M. Dupont et Mme. Curie, Mlle. Rose et Mgr. Myriel, p. ex. Paris.
M. Le Pen, M. L’Hôpital et MM. Dupont.
Rome, av. J.-C. César, apr. J.-C. Néron.
Voir chap. 3, art. 5, al. 2, éd. 4, c.-à-d. Paris.
Siehe Nr. 5, S. 12, Abb. 3, Abs. 2, Art. 6, Kap. 3, Bd. 2, Tab. 1, Ziff. 4, Anm. 7.
Es gibt z. B. Redis, d. h. Speicher, u. a. Karten, i. d. R. Geld und m. E. Zeit.
Es gibt z.B. Redis, d.h. Speicher, u.a. Karten, i.d.R. Geld, i.V.m. Art. 5 und sog. Karten.
Sie lebt in der Hauptstr. 5 und zahlt 5 Mio. Euro oder ggf. Anteile, inkl. Steuer.
Caesar starb 44 v. Chr. Geburt, Augustus 14 n. Chr. Geburt.
Am 3. Oktober 1990 und im 19. Jahrhundert, der 20. Bundestag.
Fr. Müller und Hr. Schmidt, Dipl.-Ing. Weber, Frl. Rose.
Smith et al. (2010) and Jones et al. 2011 and Kim et al. [3] agree.
As said, op. cit. Smith, loc. cit. Jones, ibid. Kim, cf. Lee, viz. Ng.
Come at 5 p.m. Monday or 9 a.m. Tuesday, or 5 p. m. Friday.
Apple Inc. Chief Tim Cook met Acme Ltd. Chair Ann Lee, Ford Motor Co. Boss and Sony Corp. Head Ken.
John Smith Jr. Esquire and Ken Smith Sr. Foundation.
Ann Lee, Ph.D. Student, and Bob Lee, M.D. Ph. D. Fellow.
On Jan. 5, Feb. 6, Mar. 7, Apr. 8, Jun. 9, Jul. 10, Aug. 11, Sept. 12, Oct. 13, Nov. 14 and Dec. 15.
Am 5. Okt. 2010, 6. Dez. 2011; le 7 janv. 2012, le 8 févr. 2013; el 9 ene. 2014, el 10 dic. 2015.
From Baker St. Station to Fifth Ave. Park and Oak Blvd. Plaza.
Apple vs. Samsung, Roe v. Wade, Kramer vs. The State.
See No. 5, Nos. 6, vol. II, pp. 5, sec. A1, fig. B, p. 7, eq. 8, Ch. IV, op. 9, App. C and No. #7.
It was c. 1900, n. 5, t. 2, approx. $5.
The U.S. Army, the U.K. Navy, the non-U.S. Army, Washington, D.C. Police, U. S. Steel.
J. De Niro, C. Le Goff, J. R. R. Tolkien, W. H. Auden, J. I. Packer and F. von Trier.
J.P. Zenger, John P. Smith, Bert W. O'Malley, Gerald S. O'Laughlin, J.J. O'Neal and D. D’Angelo.
Acme Inc. (the “Company”), Models Inc. (1994), Gray, Jr. (August 16), Kim (c. 1020), the U.S. ICH and Texas v. White.
The A.B.C. Company and the E. coli.
"""

CUT = [
    ("the first gen. Later ones", 2),
    ("This is the last rev. Later ones", 2),
    ("She said no. A man came.", 2),
    ("I met Sam. Later we ate.", 2),
    ("He works at Acme Inc. The firm is old.", 2),
    ("He works at Acme Co. It is old.", 2),
    ("They live in Baker St. The house is old.", 2),
    ("He is King Jr. His son is not.", 2),
    ("He left at 5 p.m. Then she came.", 2),
    ("He left at 5 a.m. This was early.", 2),
    ("She has a Ph.D. It is new.", 2),
    ("It is by Smith et al. We extend it.", 2),
    ("He took vitamin C. The dose was high.", 2),
    ("This is plan B. It is good.", 2),
    ("So did I. Then we left.", 2),
    ("Let x be the value of y. Therefore it holds.", 2),
    ("Caesar starb 44 v. Chr. Der Senat trauerte.", 2),
    ("Das kostet 5 Mio. Das ist viel.", 2),
    ("Es gibt Brot usw. Dann gibt es Wein.", 2),
    ("Rome tomba av. J.-C. Les Gaulois vinrent.", 2),
    ("Il est chez Dupont et Cie. L’entreprise est vieille.", 2),
    ("Vive en EE. UU. La casa es grande.", 2),
    ("Vive en EE.UU. El presidente también.", 2),
    ("He came in Dec. It rained.", 2),
    ("He was 30. Peter was 40.", 2),
    ("He has 3. Bob has 4.", 2),
    ("We met the art. A man came.", 2),
    ("It ended in 1990. October came.", 2),
    ("I saw the sun. Mars too.", 2),
    ("We went to LA. The sun shone.", 2),
    ("It was in 7,000 BP. Two cities stood.", 2),
    ("It hangs on the root CA. Samsung issued it.", 2),
    ("It was under Henry V. The war went on.", 2),
    ("Let it be the line BD. The point is B.", 2),
    ("It froze at 0 °C. The ice held.", 2),
    ("He is from the U.S. He came in May.", 2),
    ("Is it so? Inc. Is it? Yes.", 4),
]

FORMS = pytest.mark.parametrize("split", [whole, streamed])


@FORMS
@pytest.mark.parametrize(("text", "expected"), CASES)
def test_sentences(split, text, expected):
    assert split(text) == expected


@FORMS
@pytest.mark.parametrize("text", WHOLE.strip().splitlines())
def test_abbreviations_end_no_sentence(split, text):
    assert split(text) == [text]
    assert split(f"{text} Then all was said.") == [text, "Then all was said."]


@FORMS
@pytest.mark.parametrize(("text", "count"), CUT)
def test_the_same_letters_end_a_sentence_elsewhere(split, text, count):
    assert len(split(text)) == count


def test_paragraphs_are_marked():
    found = list(sentences("A one. A two.\n\nB one.\n \t\nC"))
    assert [s.ends_paragraph for s in found] == [False, True, True, True]


def test_nothing_outside_the_given_part_is_read():
    text = "One. Two is e.g. this. Three"
    for start in range(len(text)):
        for end in range(start, len(text) + 1):
            inside = [(s.start - start, s.end - start, s.ends_paragraph) for s in sentences(text, start, end)]
            assert inside == [(s.start, s.end, s.ends_paragraph) for s in sentences(text[start:end])]


def test_undecided_ends_wait():
    assert next_end("It is 3.", 0, final=False) == (7, None)
    assert next_end("It is so. ", 0, final=False) == (8, None)
    assert next_end("It is so\n", 0, final=False) == (8, None)
    assert next_end("It is so\n1", 0, final=False) == (8, None)
    assert next_end("It is so.[1", 0, final=False) == (8, None)
    assert next_end("It is the U.S. Th", 0, final=False) == (13, None)
    assert next_end("It is", 0, final=False) == (5, None)
    assert next_end("It is  ", 0, final=False) == (5, None)


def test_ends_are_given_as_soon_as_they_are_certain():
    assert next_end("It is so. I", 0, final=False) == (8, End(8, 9, 10))
    assert next_end("It is 9:00. I", 0, final=False) == (10, End(10, 11, 12))
    assert next_end("It is 3. I", 0, final=False) == (7, End(7, 8, 9))
    assert next_end("It is 3. J", 0, final=False) == (7, None)
    assert next_end("Bravo ! I", 0, final=False) == (5, End(5, 7, 8))
    assert next_end('"So." I', 0, final=False) == (3, End(5, 5, 6))
    assert next_end("It is so\n- ", 0, final=False) == (8, End(8, 8, 9))
    assert next_end("It is the U.S. They ", 0, final=False) == (13, End(13, 14, 15))


TRICKY = (
    "Mr Dr. e.g. z. B. i. d. R. v. Chr. et al. U.S. U. S. J. R. No. 5 fig. S. 12 Nr. Inc. St. Sr. p. ex. "
    "3. Oktober. The They In. I A a.m. L’ De la Baker am der 1. - * # > | ``` ` ~~~ [12] [1 ¹ » « ( ) “ ” "
    "… ?! 。 」 \u200b 😀 ß é e\u0301 ǅ ﬁ"
)
PIECES = st.one_of(
    st.sampled_from(TRICKY.split()),
    st.sampled_from([" ", "  ", "\n", "\r\n", "\r", "\t", "\n\n", "\u00a0", "\u2028", "\f"]),
    st.sampled_from([". ", ".", "! ", "? ", '." ']),
    st.text(alphabet=st.sampled_from("aB1. !?\n\r\t\"')。…-#•\u200b😀"), max_size=6),
    st.text(max_size=4),
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.lists(PIECES, max_size=14).map(" ".join)


@settings(max_examples=examples(400))
@given(TEXTS, st.lists(st.integers(0, 150), max_size=8))
@example("ok.\n1", [4])
@example("a \n `x", [3, 4])
@example("x. \u00bb y", [2])
def test_how_a_text_arrives_changes_no_sentence(text, cuts):
    assert streamed(text) == streamed(text, cuts) == whole(text)


@settings(max_examples=examples(300))
@given(TEXTS, st.integers(0, 20))
def test_sentences_are_in_order_trimmed_and_cover_all_but_whitespace(text, start):
    start = min(start, len(text))
    position = start
    for sentence in sentences(text, start):
        assert text[position : sentence.start].strip() == ""
        found = text[sentence.start : sentence.end]
        assert found
        assert found == found.strip()
        position = sentence.end
    assert text[position:].strip() == ""


class CountedPattern:
    """A pattern that counts the characters that its searches read."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.read = 0

    def _counted(self, found, start, end):
        self.read += (found.end() if found else end) - start
        return found

    def search(self, text, start, end):
        return self._counted(self.pattern.search(text, start, end), start, end)

    def match(self, text, start, end):
        found = self.pattern.match(text, start, end)
        return self._counted(found, start, end) if found else None


@pytest.mark.parametrize(
    "unit",
    [
        "a. ",
        "U.S. x ",
        "J. ",
        "1. ",
        "\n",
        " ",
        " \n",
        ".",
        '…" ',
        "x\n",
        "((. ",
        "et al. ",
        "a.b",
        "»",
        "[1] ",
    ],
)
def test_a_text_is_read_in_linear_time(unit, monkeypatch):
    """Counted: a text ten times as long costs ten times the characters read and steps taken."""

    def cost(times):
        patterns = {
            name: CountedPattern(getattr(module, name)) for name in ("_CANDIDATE", "_AHEAD", "_BLANK_LINE")
        }
        spaces = []
        with monkeypatch.context() as patch:
            for name, pattern in patterns.items():
                patch.setattr(module, name, pattern)
            for name in ("_before_space", "_behind_space", "_end_of_line"):
                patch.setattr(module, name, measured(getattr(module, name), spaces))
            list(sentences(unit * times))
        return sum(pattern.read for pattern in patterns.values()) + sum(spaces)

    assert cost(2000) <= 10 * cost(200) + 200


def measured(function, steps):
    def counting(text, start, end):
        given_end = end if function.__name__ == "_before_space" else start
        found = function(text, start, end)
        steps.append(1 + abs(found - given_end))
        return found

    return counting


def test_what_is_known_to_hold_no_end_is_not_searched_again(monkeypatch):
    counted = CountedPattern(module._CANDIDATE)
    monkeypatch.setattr(module, "_CANDIDATE", counted)
    text = "word, e.g. so " * 300
    assert len(streamed(text)) == 1
    assert counted.read < 8 * len(text)
