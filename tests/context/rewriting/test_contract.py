"""What every method of rewriting promises."""

from __future__ import annotations

import pytest

from base.methods import InvalidOption
from context import REWRITERS, Turn
from context.rewriting.base import Exchange, exchanges
from models.networks.language_model import LanguageModel

pytestmark = pytest.mark.long  # a random network writes

ASKED = [Turn("user", "Who founded the Bank of England?"), Turn("assistant", "William III [1].")]


@pytest.fixture(scope="module")
def networks(lm):
    class Networks:
        pass

    made = Networks()
    made.lm = lm
    return made


@pytest.fixture(params=list(REWRITERS))
def method(request):
    return REWRITERS[request.param]


@pytest.fixture
def rewrite(method, networks):
    rewriter = method.make(networks)

    def call(conversation, question, **options):
        return rewriter.rewrite(conversation, question, REWRITERS.resolve({"method": method.name, **options}))

    return call


@pytest.mark.parametrize("turns", [[], [Turn("assistant", "Hello.")], [Turn("user", "")]])
def test_without_an_earlier_question_nothing_changes(rewrite, turns):
    assert rewrite(turns, "When was it founded?") == "When was it founded?"


@pytest.mark.parametrize(
    "question",
    [
        "Who founded Microsoft?",
        "How long does it take to reach Oslo by train?",
        "What did NASA say of its budget?",
    ],
)
def test_a_question_that_stands_alone_is_unchanged(rewrite, question):
    assert rewrite(ASKED, question) == question


def test_a_follow_up_is_one_line_with_a_word_of_the_conversation(rewrite):
    rewritten = rewrite(ASKED, "When was it founded?")
    assert "\n" not in rewritten
    assert "founded" in rewritten
    assert "England" in rewritten or "William" in rewritten


def test_the_same_conversation_gives_the_same_question(rewrite):
    assert rewrite(ASKED, "And in 1990?") == rewrite(ASKED, "And in 1990?")


def test_a_long_message_is_no_follow_up(rewrite):
    long = "It is so. " * 100
    assert rewrite(ASKED, long) == long


def test_only_the_last_turns_are_read(rewrite):
    turns = [*ASKED, Turn("user", "Who wrote Faust?"), Turn("assistant", "Goethe.")]
    assert "England" not in rewrite(turns, "When was it written?", turns=1)


def test_unknown_options_are_refused(method):
    with pytest.raises(InvalidOption):
        REWRITERS.resolve({"method": method.name, "speed": 1})
    with pytest.raises(InvalidOption):
        REWRITERS.resolve({"method": method.name, "turns": 0})


def test_a_model_that_writes_something_else_is_not_believed(networks, monkeypatch):
    named = {name: REWRITERS[name] for name in REWRITERS}
    (writing,) = [one for one in named.values() if "lm" in one.needs]
    (plain,) = [one for one in named.values() if "lm" not in one.needs]
    by_rule = plain.make(networks).rewrite(ASKED, "When was it founded?", plain.options())
    for text, taken in [
        ("When was the Bank of England founded?", True),
        ("The Bank of England was founded in 1694.", False),
        ("Who invented penicillin?", False),
        ("", False),
        ("When was the founded party of a great many other unheard and novel things?", False),
    ]:
        rewriter = writing.make(networks)
        monkeypatch.setattr(type(rewriter), "_write", lambda self, asked, tokens, text=text: text)
        found = rewriter.rewrite(ASKED, "When was it founded?", writing.options())
        assert found == (text if taken else by_rule)


def test_the_model_writes_at_most_its_tokens(networks):
    (writing,) = [method for method in REWRITERS.values() if "lm" in method.needs]
    rewriter = writing.make(networks)
    assert isinstance(networks.lm, LanguageModel)
    texts = {tokens: rewriter._write("User: a\nLast question: b", tokens) for tokens in (8, 40)}
    assert len(networks.lm.encode(texts[8])) <= len(networks.lm.encode(texts[40])) + 2


def test_exchanges_pair_questions_with_answers_without_marks():
    turns = [
        Turn("assistant", "Hello."),
        Turn("user", "Who?"),
        Turn("assistant", "Ada [1], and\nBen [12]."),
        Turn("assistant", "Indeed."),
        Turn("user", "When?"),
    ]
    assert exchanges(turns, 9) == [Exchange("Who?", "Ada, and Ben."), Exchange("When?", "")]
    assert exchanges(turns, 1) == [Exchange("When?", "")]
