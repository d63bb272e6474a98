"""Function words: no word stands twice, and the sets that indexes and thresholds were measured with stay."""

from pathlib import Path

import pytest

from base.text import stop_words
from base.text.stop_words import english, opening
from base.text.terms import terms_of

FILES = sorted(Path(stop_words.__file__).parent.glob("*.txt"))


def test_there_is_a_file_for_each_language():
    assert [file.stem for file in FILES] == ["de", "en", "es", "fr"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_word_stands_twice_in_a_language(file):
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    words = " ".join(line.partition(":")[2] if ":" in line else line for line in lines).split()
    assert len(words) == len(set(words))
    assert all(word == word.lower() for word in words)


def test_the_short_list_is_lucenes():
    """Lexical indexes on disk were built without these words."""
    lucene = (
        "a an and are as at be but by for if in into is it no not of on or such that the their then there "
        "these they this to was will with"
    )
    assert english().short == frozenset(lucene.split())
    assert english().short < english().common


def test_sets_keep_their_size():
    """Figures were measured with these; a change of one of them asks for new ones."""
    sets = english()
    assert [len(sets.common), len(sets.answering), len(sets.asking)] == [152, 142, 73]


@pytest.mark.parametrize("word", ["the", "however", "der", "les", "l’", "los", "ich", "il"])
def test_words_that_open_a_sentence(word):
    assert word in opening()


@pytest.mark.parametrize("word", ["under", "may", "open", "one", "army", "chief"])
def test_words_of_names_do_not_open_a_sentence(word):
    """ "U.S. Under Secretary", "Apple Inc. One"."""
    assert word not in opening()


def test_words_of_the_short_list_are_no_terms():
    assert terms_of(" ".join(english().short)) == []
