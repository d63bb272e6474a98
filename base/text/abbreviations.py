"""Whether a full stop belongs to the word before it: "Dr. Ng", "Nr. 5", "the U.S. Army" end no sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from base.text import stop_words

Verdict: TypeAlias = Literal["end", "no", "wait"]
"""A sentence ends here, or none does, or the text to come decides."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Something that belongs to it always follows. Spaces are left out: "z. B." and "z.B." are one.
_LEADING = _words(
    "vs v cf viz e.g i.e eg ie resp approx incl excl esp mr mrs dr "
    "z.b d.h u.a s.u s.o o.g u bzw vgl evtl ggf inkl exkl zzgl sog insb insbes gem geb lt "
    "mme mmes mlle mlles p.ex c.-à-d c.à.d "
    "dra p.ej aprox"
)
# The same, but only when written with a capital: "Gen. Lee", and not "the first gen. Later".
_TITLES = _words(
    "Ms Mx Prof Messrs Hon Rt Rev Revd Ven Fr Br Bp Abp Mgr Mt Ft "
    "Gen Col Maj Capt Cmdr Cdr Adm Brig Sgt Cpl Pvt Sen Rep Gov Pres Amb Insp Supt Det Atty "
    "Hr Frl Dipl Dipl.-Ing Ing Mag MM Ste "
    "Profa Sra Sres Srta Dña Gral Lic Excmo Ilmo"
)
# May end a sentence, and does before a word that opens sentences: "at Acme Inc. The", "Acme Inc. Chief".
_TRAILING = _words(
    "inc ltd co corp bros llc plc cie cía ltda s.a s.l s.a.s ph ph.d esq a.m p.m ca "
    "etal op.cit loc.cit cit ibid seq ed eds hrsg aufl dept univ assn intl natl govt "
    "chr j.-c j.c mio mrd tsd jh jhd jhdt ud uds vd vds EE UU ee.uu"
)
# The same, but also in names: "Baker St. The" ends one, "St. La Salle" and "Sr. De la Cruz" do not.
_NAMING = _words("st ST jr sr ave av avda blvd bd rd hwy")
# Followed by a number or a letter: "No. 5", and not "She said no. Then".
_NUMBERED = _words(
    "no nos nr nrn n.º núm núms p pp pág págs fig figs abb tab eq eqs sec secs ch chap chaps kap cap "
    "vol vols art arts abs al par para paras cl ziff pt pts bk fol ref refs anm anl anh app suppl fn "
    "rn rz thm lem def prop cor ex op ver rev ext tel tél apt bldg rm az bl jg pos sp tz "
    "est éd env apr max min avg "
    "jan feb mar jun jul aug sep sept oct nov dec febr okt dez janv févr avr juil déc ene abr ago dic"
)
# After a number they make it an ordinal one in German: "3. Oktober", "2. Aufl.".
_COUNTED = _words(
    "januar jänner februar märz april mai juni juli august september oktober november dezember "
    "jan feb mär apr aug sep sept okt nov dez "
    "jahrhundert jahrhunderts jh jahrtausend quartal quartals auflage aufl kapitel weltkrieg weltkriegs"
)
_ARTICLES = _words("der die das den dem des im vom zum zur beim")
# Words that are parts of surnames as well, and those that are surnames: "J. De Niro", "X. He".
_PARTICLES = _words("de del da do du di des la le las les los el den der von vom zu zum zur l’ d’")
_SURNAMES = _PARTICLES | _words("am im an auf he so you her my")
_OPENING = stop_words.opening()

_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LIST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{2,5}")
_ROMAN = re.compile(r"[IVXLC]{2,}")
_LAST_WORD = re.compile(
    r"(?:(?P<article>[^\W\d_]{2,4})\s(?=\d{1,3}$))?"
    r"(?P<led>(?:(?<![\w.])[^\W\d_]\.[ \u00a0\u202f])+|(?<!\w)(?:et|op\.|loc\.)[ \u00a0\u202f])?"
    r"(?P<word>[^\W_](?:[\w.’'-]|(?<=\d)[:,/](?=\d))*)$"
)
_LONGEST = 24


@dataclass(frozen=True, slots=True)
class Before:
    """The word before a full stop; `joined` has the single letters in front too: "B" and "z.B".

    `opens`: it is the first of its sentence. `article`: a German article stands before the number.
    """

    word: str
    joined: str
    opens: bool
    article: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next word, past quotes and brackets, and the character behind it.

    `goes_on`: a small letter directly behind the white space, or behind a dash. Not `whole` if the text to
    come may make the word longer.
    """

    word: str
    behind: str
    goes_on: bool
    whole: bool


def word_before(text: str, start: int, stop: int) -> Before | None:
    """The word that stands directly before `stop`, in a sentence that begins at `start`."""
    found = _LAST_WORD.search(text, max(start, stop - _LONGEST), stop)
    if found is None:
        return None
    led, word = found["led"] or "", found["word"]
    first = found.start("led") if led else found.start("word")
    opens = first - start < _LONGEST and not text[start:first].strip()
    joined = re.sub(r"\s", "", led) + word
    return Before(word, joined, opens, (found["article"] or "").lower() in _ARTICLES)


def judge(before: Before, ahead: Ahead) -> Verdict:
    """Whether a sentence ends at the full stop between the two; `ahead` does not go on."""
    word, keys = before.word, {_folded(before.word), _folded(before.joined)}
    written = {word} if len(word) > 1 and word.isupper() and word.isalpha() else keys  # "BP", "BD": acronyms
    if before.opens and _LIST_NUMBER.fullmatch(before.joined):
        return "no"
    if keys & _LEADING or word in _TITLES:
        return "no"
    if written & _TRAILING:
        return _unless_opening(ahead)
    if written & _NAMING:
        return _unless_opening(ahead, but=_PARTICLES)
    if _INITIALS.fullmatch(before.joined) and before.joined.isupper():
        return _judge_initials(before, ahead)
    if keys & _NUMBERED or word.lower().endswith("str"):
        return _if_numbered(ahead)
    if word.isdigit():
        return _if_counted(before, ahead)
    return _judge_letters(before, ahead)


def _folded(word: str) -> str:
    """In small letters, but for a single capital: that is an initial, "Henry V. The"."""
    return word if len(word) == 1 else word.lower()


def _judge_initials(before: Before, ahead: Ahead) -> Verdict:
    """No end after "J. R. R."; "U.S.", written together, is a country or a degree as well as a name."""
    if before.joined == "I":
        return "end"
    together = before.joined == before.word and len(before.word) > 1
    return _unless_opening(ahead, but=_PARTICLES if together else _SURNAMES)


def _judge_letters(before: Before, ahead: Ahead) -> Verdict:
    """Words with stops inside, and single small letters."""
    word = before.joined
    if _DOTTED.fullmatch(word) or (word != before.word and len(before.word) <= 3):
        return _unless_opening(ahead)
    dotted = word.rpartition("-")[2]
    if dotted != word and _DOTTED.fullmatch(dotted):
        return _unless_opening(ahead)
    return _if_short(ahead) if len(word) == 1 and word.isalpha() else "end"


def _unless_opening(ahead: Ahead, *, but: frozenset[str] = frozenset()) -> Verdict:
    """No end, unless a word follows that opens sentences and is none of `but`."""
    if not ahead.word[:1].isalpha() or ahead.word[0].islower():
        return "no"
    if not ahead.whole:
        return "wait"
    return "end" if (word := _opening_word(ahead)) and word not in but else "no"


def _opening_word(ahead: Ahead) -> str:
    """The next word in small letters if it is one that opens sentences, else nothing."""
    word, apostrophe = ahead.word.lower(), ahead.behind in ("'", "’")
    if apostrophe and f"{word}’" in _OPENING:
        return f"{word}’"
    if len(word) == 1 and word != "i" and not ahead.behind.isspace():  # "O'Neal", "A. Smith"
        return ""
    shouted = len(word) > 1 and ahead.word.isupper()
    return word if word in _OPENING and not shouted and not (word == "i" and ahead.behind == ".") else ""


def _if_numbered(ahead: Ahead) -> Verdict:
    """No end before a number, a roman number, or a letter that is no word."""
    if not ahead.word or ahead.word[0].isdigit():
        return "no" if ahead.word else "end"
    if not ahead.whole:
        return "wait"
    letter = len(ahead.word) == 1 and ahead.word not in "AI"
    counted = letter or _ROMAN.fullmatch(ahead.word) or any(map(str.isdigit, ahead.word))
    return "no" if counted else "end"


def _if_counted(before: Before, ahead: Ahead) -> Verdict:
    """No end after an ordinal number, as German writes them: "am 3. Oktober", "der 19. Bundestag"."""
    if len(before.word) > 2 or not ahead.word[:1].isalpha():
        return "end"
    if before.article:
        return "no"
    word = ahead.word.lower()
    if not ahead.whole and any(counted.startswith(word) for counted in _COUNTED):
        return "wait"
    return "no" if word in _COUNTED else "end"


def _if_short(ahead: Ahead) -> Verdict:
    """No end after a small letter before a number or another abbreviation: "c. 1900", "n. Chr."."""
    if not ahead.word or ahead.word[0].isdigit():
        return "no" if ahead.word else "end"
    if not ahead.whole:
        return "wait" if len(ahead.word) <= 3 else "end"
    return "no" if len(ahead.word) <= 3 and ahead.behind == "." else "end"
