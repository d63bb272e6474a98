"""Prompt modules: equal to reading everything, at the schema's positions, and only new tokens computed."""

from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache

from context.attention import enable_ape
from context.errors import InvalidPromptModule
from context.generation import Generation, read
from context.prompt_cache import PromptCache
from context.prompt_schema import Module, OneOf, lay_out
from context.rotation import Rotation
from context.transcript import Writing
from models.errors import InputTooLong

SYSTEM = Module("system", "<|im_start|>system\nYou answer questions.<|im_end|>\n")
SHORT = Module("short", "Answer in one word. ")
LONG = Module("long", "Answer in two or three long sentences. ")
TEMPLATE = Module("template", "The reader is called {name} and is {age} years old. ", {"name": 6, "age": 3})
SCHEMA = (SYSTEM, OneOf((SHORT, LONG)), TEMPLATE)
QUESTION = "Who approves travel?"


@pytest.fixture
def cache(tiny):
    return PromptCache(tiny, SCHEMA)


def ids(lm, text):
    return lm.tokenizer(text, add_special_tokens=False).input_ids


def close(a, b):
    torch.testing.assert_close(a, b, atol=1e-3, rtol=0)


def test_a_module_that_is_the_whole_prefix_equals_reading_everything(cache, tiny):
    prompt = cache.read(QUESTION, ["system"])
    tokens = [*ids(tiny, SYSTEM.text), *ids(tiny, QUESTION)]
    whole = DynamicCache()
    close(prompt.logits, read(tiny, tokens, 0, whole))
    assert prompt.position == len(tokens)
    run = Generation(tiny, prompt, Writing(max_tokens=5))
    while run.step() is not None:
        pass
    again = read(tiny, [run.ids[0]], len(tokens), whole)
    assert int(again.argmax()) == run.ids[1]


def test_an_argument_is_read_at_its_places(tiny):
    """A module whose parameter comes last, filled to its length, is ordinary text."""
    name = tiny.encode(" finance")
    cache = PromptCache(tiny, [Module("m", "The head of{who}", {"who": len(name)})])
    prompt = cache.read(QUESTION, ["m"], {"m": {"who": " finance"}})
    tokens = [*ids(tiny, "The head of"), *name, *ids(tiny, QUESTION)]
    close(prompt.logits, read(tiny, tokens, 0, DynamicCache()))
    assert prompt.usage.question_tokens == len(name) + len(ids(tiny, QUESTION))


def test_modules_stand_where_the_schema_says(cache, tiny):
    modules = cache.modules
    start = len(ids(tiny, SYSTEM.text))
    assert modules["short"].start == modules["long"].start == start
    assert modules["template"].start == start + len(ids(tiny, LONG.text))
    enable_ape(tiny)
    here = cache._block(modules["short"])[0]
    at_zero = PromptCache(tiny, [SHORT])
    close(Rotation(tiny).move(at_zero._block(at_zero.modules["short"])[0], start).keys, here.keys)
    assert cache.read(QUESTION, ["short"]).position == start + len(ids(tiny, SHORT.text + QUESTION))


def test_the_order_of_modules_changes_nothing_and_their_choice_does(cache):
    logits = cache.read(QUESTION, ["system", "long", "template"]).logits
    close(cache.read(QUESTION, ["template", "system", "long"]).logits, logits)
    assert (cache.read(QUESTION, ["system", "short", "template"]).logits - logits).abs().max() > 1e-2
    filled = cache.read(QUESTION, ["system", "long", "template"], {"template": {"name": "Ada"}}).logits
    assert (filled - logits).abs().max() > 1e-3


def test_only_new_tokens_are_computed(cache, tiny):
    first = cache.read(QUESTION, ["system", "template"])
    counted = []
    hook = tiny.model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: counted.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    try:
        second = cache.read(QUESTION, ["system", "template"], {"template": {"age": "42"}})
    finally:
        hook.remove()
    assert counted == [len(ids(tiny, QUESTION)) + len(tiny.encode("42"))]
    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens == second.usage.context_tokens == first.usage.context_tokens


def test_a_new_version_keeps_what_did_not_change(cache, tiny):
    cache.read(QUESTION, ["system", "short", "template"])
    longer = Module("long", LONG.text + "Really long ones. ")
    cache.replace((SYSTEM, OneOf((SHORT, longer)), TEMPLATE))
    assert [cache._block(cache.modules[name])[1] for name in ("system", "short", "template")] == [
        True,
        True,
        False,
    ]
    cache.replace((Module("system", SYSTEM.text + "!"), OneOf((SHORT, LONG)), TEMPLATE))
    assert not any(cache._block(one)[1] for one in cache.modules.values())


@pytest.mark.parametrize(
    ("modules", "arguments", "wrong"),
    [
        (["nothing"], {}, "nothing"),
        (["system", "system"], {}, "once"),
        (["short", "long"], {}, "another of its place"),
        (["template"], {"template": {"age": "a hundred and twenty-five"}}, "room for 3"),
        (["template"], {"template": {"size": "1"}}, "no parameter 'size'"),
        (["system"], {"template": {"age": "1"}}, "no parameter"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(cache, modules, arguments, wrong):
    with pytest.raises(InvalidPromptModule, match=wrong):
        cache.read(QUESTION, modules, arguments)


@pytest.mark.parametrize(
    "parts",
    [
        [SYSTEM, SYSTEM],
        [Module("m", "x {a} {a}", {"a": 2})],
        [Module("m", "x {a}")],
        [Module("m", "x", {"a": 2})],
        [Module("m", "{a}", {"a": 2})],
        [Module("m", "")],
    ],
)
def test_schemas_that_contradict_themselves_are_refused(parts):
    with pytest.raises(InvalidPromptModule):
        lay_out(parts, lambda text: [1] * len(text))


def test_long_prompts_are_refused(cache):
    with pytest.raises(InputTooLong):
        cache.read("word " * 2100, ["system"])
    with pytest.raises(InvalidPromptModule):
        cache.read("", ["system"])
