"""What every reading of the catalogue promises, on a tiny network with random weights."""

from __future__ import annotations

import math

import pytest
import torch

from base.errors import InputTooLong
from base.methods import InvalidOption, MethodUnavailable
from context import READINGS, ContextEngine, ContextPassage, PrefixStore
from tests.support.readings import begin, reading

QUESTION = "Who approves travel?"
TEXTS = [
    "The head of finance approves travel above 2000 euros.",
    "Dogs are not allowed. No exceptions are made.",
    "The office opens at 9:00.",
    "Finance is led by the head of finance, who approves documents.",
    "A hotel costs 150 euros.",
    "Tides are caused by the moon.",
]
PASSAGES = [ContextPassage(f"Page {at}", text) for at, text in enumerate(TEXTS)]
OTHERWISE = {
    "keep": 1,
    "temperature": 0.4,
    "scale": 0.5,
    "bias": -3.0,
    "recompute_tokens": 3,
    "recompute_share": 0.6,
}
"""A value of each option that is not its default."""
OPTIONS = [(name, option) for name, method in READINGS.items() for option in method.fields]
MADE = {name: method.make(None) for name, method in READINGS.items()}
SIDE_BY_SIDE = [name for name, made in MADE.items() if not made.in_sequence]
IN_A_ROW = [name for name, made in MADE.items() if made.in_sequence]
LONG = [ContextPassage("", "word " * 220 + str(at)) for at in range(2)]

every_reading = pytest.mark.parametrize("name", READINGS)


def logits(engine, name, passages=PASSAGES, **options):
    return begin(engine, QUESTION, passages, name, **options)._logits


def distance(a, b):
    return float((a - b).abs().max())


@every_reading
def test_without_passages_only_the_question_is_read(engine, name):
    run = begin(engine, QUESTION, [], name)
    assert distance(run._logits, logits(engine, "sequential", [])) < 1e-3
    assert (run.usage.context_tokens, run.notes.read, run.notes.saliency) == (0, (), ())


@every_reading
@pytest.mark.parametrize("count", [1, 2, 6, pytest.param(24, marks=pytest.mark.long)])
def test_any_number_of_passages_is_read_and_answered(engine, name, count):
    passages = [ContextPassage("", TEXTS[at % len(TEXTS)]) for at in range(count)]  # equal texts, too
    run = begin(engine, QUESTION, passages, name, max_tokens=4)
    assert torch.isfinite(run._logits).all()
    assert run.usage.context_tokens == sum(len(engine._prompt.passage(one)) for one in passages)
    while run.step() is not None:
        pass
    assert 1 <= len(run.ids) <= 4


@every_reading
def test_the_same_request_reads_the_same(engine, name):
    first, second = begin(engine, QUESTION, PASSAGES, name), begin(engine, QUESTION, PASSAGES, name)
    assert torch.equal(first._logits, second._logits)
    assert first.notes == second.notes


@every_reading
def test_cached_blocks_read_as_fresh_ones(engine, tiny, name):
    made, options = MADE[name], reading(name)
    fresh = begin(engine, QUESTION, PASSAGES, name)
    assert fresh.usage.cached_tokens == 0
    other = PrefixStore(10**8)
    warmed = ContextEngine(tiny, other)
    assert warmed.warm(PASSAGES, options) == 0
    assert warmed.warm(PASSAGES, options) == len(PASSAGES)
    assert other.stats().encoded == len(PASSAGES) * (2 if made.leads else 1)
    run = begin(warmed, QUESTION, PASSAGES, name)
    other.close()
    assert torch.equal(run._logits, fresh._logits)
    assert run.usage.cached_tokens == (run.usage.context_tokens if made.blocks else 0)


@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_side_by_side_the_order_of_passages_does_not_matter(engine, name):
    forward = begin(engine, QUESTION, PASSAGES, name)
    backward = begin(engine, QUESTION, PASSAGES[::-1], name)
    assert distance(forward._logits, backward._logits) < 1e-3
    last = len(PASSAGES) - 1
    assert sorted(last - at for at in backward.notes.read) == list(forward.notes.read)


@pytest.mark.parametrize("name", IN_A_ROW)
def test_in_a_row_the_order_of_passages_matters(engine, name):
    assert distance(logits(engine, name), logits(engine, name, PASSAGES[::-1])) > 1e-2


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_matters(engine, name, option):
    value = OTHERWISE[option]
    assert value != getattr(reading(name), option)
    assert distance(logits(engine, name), logits(engine, name, **{option: value})) > 1e-4


@every_reading
def test_what_a_reading_does_not_have_is_refused(name):
    method = READINGS[name]
    for option in {*OTHERWISE, "recompute"} - set(method.fields):
        with pytest.raises(InvalidOption) as caught:
            reading(name, **{option: 1})
        assert caught.value.allowed == list(method.fields)
    for option in method.fields:
        for wrong in (-21, 1000_000, "1", math.nan):
            with pytest.raises(InvalidOption, match=option):
                reading(name, **{option: wrong})


@every_reading
def test_the_notes_say_how_it_was_read(engine, name):
    run = begin(engine, QUESTION, PASSAGES, name, statistics=True)
    notes, options = run.notes, reading(name)
    assert notes.method == name
    assert set(notes.read) <= set(range(len(PASSAGES)))
    assert len(notes.read) == min(len(PASSAGES), _left(options))
    assert notes.entropy > 0
    assert len(notes.shares) == (0 if MADE[name].in_sequence else len(PASSAGES))
    assert len(notes.saliency) in (0, len(PASSAGES))
    for option in {"temperature", "scale", "bias"} & set(READINGS[name].fields):
        given = begin(engine, QUESTION, PASSAGES, name, **{option: OTHERWISE[option]})
        assert getattr(given.notes, option) == OTHERWISE[option]
        chosen = getattr(options, option)
        assert getattr(notes, option) == (getattr(engine.defaults, option) if chosen is None else chosen)


def _left(options):
    """Passages that the answer can see; the guard chooses anew for every query."""
    return options.keep if options.method == "superposition" else len(PASSAGES)


@every_reading
def test_statistics_are_taken_on_request_and_change_nothing(engine, name):
    told, silent = (begin(engine, QUESTION, PASSAGES, name, statistics=given) for given in (True, False))
    assert torch.equal(told._logits, silent._logits)
    if name != "guard":  # which needs them
        assert (silent.notes.entropy, silent.notes.shares) == (None, ())


@every_reading
def test_lengths_are_checked_before_anything_is_encoded(engine, name):
    with pytest.raises(InputTooLong):
        begin(engine, QUESTION, PASSAGES, name, max_tokens=3000)
    with pytest.raises(InputTooLong):
        begin(engine, QUESTION, [ContextPassage("", "word " * 2000)], name)
    assert engine.store.stats().encoded == 0
    if MADE[name].in_sequence:
        with pytest.raises(InputTooLong):
            begin(engine, QUESTION, LONG, name, max_tokens=8)
        assert engine.store.stats().encoded == 0
    else:
        begin(engine, QUESTION, LONG, name, max_tokens=8)


@every_reading
def test_salts_share_no_block(engine, name):
    begin(engine, QUESTION, PASSAGES, name, salt=b"a")
    assert begin(engine, QUESTION, PASSAGES, name, salt=b"b").usage.cached_tokens == 0


@every_reading
def test_needs_are_the_networks_and_the_blocks_that_it_reads(name):
    method = READINGS[name]
    assert method.needs == ({"lm", "blocks"} if MADE[name].blocks else {"lm"})
    with pytest.raises(MethodUnavailable, match="a language model"):
        READINGS.check(reading(name), {"blocks"}, {"lm": "a language model"})
    assert method.summary.endswith(".")
    assert method.file == f"context.reading.methods.{name}"
