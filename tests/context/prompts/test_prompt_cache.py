"""Prompt modules: equal to reading everything, by every reading, and only what is new is computed."""

from __future__ import annotations

import pytest
import torch

from base.errors import InputTooLong
from context import (
    READINGS,
    ContextEngine,
    ContextPassage,
    FilledPrompt,
    Module,
    PrefixStore,
    check_modules,
    choose,
    forget_modules,
)
from context.errors import InvalidPromptModule
from context.prompts.schema import module_ids
from tests.support.readings import begin

ROLE = Module("role", "You help the finance team. ")
TONE = Module("tone", "Answer in one word.\n")
READER = Module("reader", "The reader is {name}, {age} years old.\n", {"name": 6, "age": 3})
SCHEMA = (ROLE, TONE, READER)
QUESTION = "Who approves travel?"
PASSAGES = [
    ContextPassage("Travel", "The head of finance approves travel above 2000 euros.", "a"),
    ContextPassage("", "Dogs are not allowed.", "b"),
]


@pytest.fixture
def engine(tiny):
    store = PrefixStore(10**8)
    yield ContextEngine(tiny, store)
    store.close()


def start(engine, modules, passages=(), **options):
    return begin(
        engine, QUESTION, list(passages), **{"max_tokens": 8, "method": "naive", "modules": modules} | options
    )


def close(a, b):
    torch.testing.assert_close(a, b, atol=1e-3, rtol=0)


def ids_of(generation):
    while generation.step() is not None:
        pass
    return generation.ids


def test_a_module_alone_equals_reading_everything(engine):
    modules = choose([ROLE])
    parallel, whole = start(engine, modules), start(engine, modules, method="sequential")
    close(parallel._logits, whole._logits)
    assert ids_of(parallel) == ids_of(whole)
    without = start(engine, None, method="sequential")
    assert (without._logits - start(engine, modules)._logits).abs().max() > 1e-2


def test_an_argument_is_read_at_its_place(engine, tiny):
    """A module whose parameter comes last is ordinary text, however short the argument is."""
    module = Module("m", "The head of{who}", {"who": 40})
    filled = start(engine, choose([module], arguments={"who": " finance"}))
    close(
        filled._logits,
        start(engine, choose([Module("m", "The head of finance")]), method="sequential")._logits,
    )
    close(
        start(engine, choose([module]))._logits, start(engine, choose([Module("m", "The head of")]))._logits
    )


def test_modules_follow_each_other_and_their_choice_matters(engine):
    def logits(*names, **arguments):
        return start(engine, choose(SCHEMA, names, arguments))._logits

    both = logits("role", "tone")
    close(logits("tone", "role"), both)  # the schema's order, not the request's
    assert (logits("role") - both).abs().max() > 1e-2
    named = logits("role", "reader", name="Ada")
    assert (logits("role", "reader") - named).abs().max() > 1e-3
    assert choose(SCHEMA, ["reader", "role"], {"name": "Ada", "age": "36"}).text == (
        "You help the finance team. The reader is Ada, 36 years old.\n"
    )


def test_only_what_is_new_is_computed(engine, tiny):
    ids = module_ids(choose(SCHEMA), tiny.encode)
    own = sum(token is not None for module in ids.modules for token in module)
    first = start(engine, choose(SCHEMA), PASSAGES)
    counted = []
    hook = tiny.model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: counted.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    try:
        second = start(engine, choose(SCHEMA, arguments={"age": "42"}), PASSAGES)
    finally:
        hook.remove()
    tail = len(engine._prompt.question(QUESTION))
    new = len(tiny.encode("42")) + len(engine._prompt.closing)
    assert counted == [new, tail]
    passages = first.usage.context_tokens - own
    assert (first.usage.cached_tokens, second.usage.cached_tokens) == (0, own + passages)
    assert second.usage.question_tokens == new + tail


def test_passages_are_kept_for_every_prompt(engine):
    plain = start(engine, None, PASSAGES)
    assert plain.usage.cached_tokens == 0
    modules = start(engine, choose([ROLE]), PASSAGES)
    assert modules.usage.cached_tokens == plain.usage.context_tokens


@pytest.mark.parametrize("method", READINGS)
def test_every_reading_reads_modules(engine, method):
    modules = choose(SCHEMA, arguments={"name": "Ada"})
    told, untold = (start(engine, one, PASSAGES, method=method) for one in (modules, None))
    assert (told._logits - untold._logits).abs().max() > 1e-3
    assert len(ids_of(told)) > 0


def test_reading_every_passage_again_behind_a_module_equals_reading_in_sequence(tiny):
    store = PrefixStore(10**8)
    engine = ContextEngine(tiny, store)
    again = start(engine, choose([ROLE]), PASSAGES, method="cacheblend", recompute_share=1.0)
    whole = start(engine, choose([ROLE]), PASSAGES, method="sequential")
    close(again._logits, whole._logits)
    store.close()


def test_modules_are_forgotten_by_their_prompt(engine):
    modules = choose([ROLE], document="support")
    start(engine, modules, PASSAGES)
    assert forget_modules(engine.store, "another", b"modules") == 0
    assert forget_modules(engine.store, "support", b"modules") == 1
    again = start(engine, modules, PASSAGES)
    assert 0 < again.usage.cached_tokens < again.usage.context_tokens


def test_names_of_control_tokens_stay_text(engine, tiny):
    prompt = choose([Module("m", "<|im_end|>{x}", {"x": 40})], arguments={"x": "<|im_start|>"})
    assert not set(module_ids(prompt, tiny.encode).ids) & set(tiny.eos_ids)


@pytest.mark.parametrize(
    ("names", "arguments", "wrong"),
    [
        (["nothing"], {}, "no such module; it has role, tone, reader"),
        (None, {"size": "1"}, "there are name, age"),
        (["tone"], {"age": "1"}, "there are none"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(names, arguments, wrong):
    with pytest.raises(InvalidPromptModule, match=wrong):
        choose(SCHEMA, names, arguments)


def test_long_arguments_are_refused(engine):
    with pytest.raises(InvalidPromptModule, match="room for 3"):
        start(engine, choose(SCHEMA, arguments={"age": "a hundred and twenty-five"}))


@pytest.mark.parametrize(
    ("modules", "wrong"),
    [
        ([ROLE, ROLE], "two of this name"),
        ([Module("m", "x {a} {a}", {"a": 2})], "once"),
        ([Module("m", "x {a}", {"a": 2}), Module("n", "y {a}", {"a": 2})], "once"),
        ([Module("m", "x {a}")], "no parameter"),
        ([Module("m", "x {}", {"": 0})], "no parameter"),
        ([Module("m", "x {a:>9}", {"a": 2})], "no parameter"),
        ([Module("m", "x", {"a": 2})], "its text has no a"),
        ([Module("m", "{a}", {"a": 2})], "no text"),
        ([Module("m", "")], "no text"),
        ([Module("m", '{"json": 1')], "written twice"),
    ],
)
def test_schemas_that_contradict_themselves_are_refused(modules, wrong):
    with pytest.raises(InvalidPromptModule, match=wrong):
        check_modules(modules)


def test_braces_written_twice_are_braces(engine):
    module = Module("m", '{{"who": "{who}"}} ', {"who": 4})
    check_modules([module])
    assert choose([module], arguments={"who": "Ada"}).text == '{"who": "Ada"} '


def test_modules_have_their_share_of_what_the_model_can_read(engine):
    engine.check_modules(SCHEMA)
    with pytest.raises(InputTooLong, match="modules"):
        engine.check_modules([Module("m", "word " * engine.lm.max_positions)])
    with pytest.raises(InputTooLong, match="modules"):
        engine.check_modules([Module("m", "x {a}", {"a": engine.lm.max_positions // 2})])
    with pytest.raises(InputTooLong, match="answer"):
        start(engine, FilledPrompt((Module("m", "word " * engine.lm.max_positions),)))
