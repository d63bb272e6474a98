"""Answers written together equal answers written alone; they join, leave and fail one by one."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from transformers import DynamicCache

from context import ContextEngine, ContextPassage, PrefixStore
from context.encoding.plain import encode_passages, encode_prefix
from context.writing.generation import read
from context.writing.scheduler import Scheduler
from models.attention import batch as batched_attention
from models.attention.batch import BatchCall, FrozenPart
from models.attention.calls import ApeCall
from models.attention.row_keys import RowKeys
from tests.support.readings import begin

PASSAGES = [
    ContextPassage("Travel", "The head of finance approves travel above 2000 euros."),
    ContextPassage("", "Dogs are not allowed. 🐕 No exceptions\r\nare made."),
    ContextPassage("Opening hours", "The office opens at 9:00. " * 12),
]


class Ear:
    def __init__(self):
        self.pieces, self.ends, self.rows = [], [], []

    def began(self, row):
        self.rows.append(row)

    def said(self, text):
        self.pieces.append(text)

    def ended(self, error):
        self.ends.append(error)


@pytest.fixture
def engine(tiny):
    store = PrefixStore(10**8)
    yield ContextEngine(tiny, store)
    store.close()


def start(engine, passages=PASSAGES, question="Who approves travel?", **options):
    return begin(engine, question, passages, **{"max_tokens": 12, **options})


def alone(generation):
    pieces = []
    while (piece := generation.step()) is not None:
        pieces.append(piece)
    return generation.ids, "".join(pieces), generation.finish_reason


def run(scheduler, rows):
    while scheduler.step():
        pass
    return [(row.transcript.ids, "".join(row.listener.pieces), row.finish_reason) for row in rows]


CASES = [
    {"passages": PASSAGES},
    {"passages": PASSAGES[:1], "max_tokens": 3},
    {"passages": []},
    {"passages": PASSAGES, "method": "sequential", "max_tokens": 30},
    {"passages": PASSAGES[1:], "temperature": 0.5, "scale": 1.2},
    {"passages": PASSAGES * 3, "method": "sequential", "question": "dogs?" * 40},
    {"passages": PASSAGES, "sampling": 1.2, "seed": 3},
    {"passages": PASSAGES, "max_tokens": 1},
]


def test_answers_together_equal_answers_alone(engine):
    wanted = [alone(start(engine, **case)) for case in CASES]
    scheduler = Scheduler(engine.lm)
    rows = [scheduler.join(start(engine, **case), Ear()) for case in CASES]
    assert len(scheduler) == len(CASES) - 1  # one was over with its first token
    assert run(scheduler, rows) == wanted
    assert all(row.listener.ends == [None] for row in rows)
    assert (len(scheduler), scheduler.nbytes) == (0, 0)


def test_answers_may_join_at_any_step(engine):
    wanted = [alone(start(engine, **case)) for case in CASES]
    scheduler, rows = Scheduler(engine.lm), []
    for case in CASES:
        rows.append(scheduler.join(start(engine, **case), Ear()))
        scheduler.step()
        scheduler.step()
    assert run(scheduler, rows) == wanted


@pytest.mark.parametrize("queries", [1, 3])
def test_batched_logits_equal_single_ones(tiny, engine, queries):
    """Rows of mixed lengths, with and without a prefix, passages, and a long prompt of their own."""
    prefix = encode_prefix(tiny, [5, 6, 7, 8])
    blocks = encode_passages(tiny, prefix, [[9, 10, 11], [12, 13, 14, 15, 16], [17]])
    calls = [
        None,
        ApeCall.over(prefix, []),
        ApeCall.over(prefix, blocks, temperature=0.8, scale=0.9),
        ApeCall.over(prefix, blocks[:2], temperature=0.7, scale=1.1, bias=-0.4),
        ApeCall.over(prefix, blocks, keep=1),
        ApeCall.over(None, blocks[2:]),
    ]
    prompts = [list(range(20, 20 + n)) for n in (70, 2, 9, 1, 5, 3)]
    following = [[30 + at, 41, 42][:queries] for at in range(len(calls))]
    own, parts, wanted = RowKeys(), [], []
    with torch.inference_mode():
        for at, (call, prompt, ids) in enumerate(zip(calls, prompts, following, strict=True)):
            cache = DynamicCache()
            read(tiny, prompt, 10, cache, ape=call)
            layers = [(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]
            frozen = at in (0, 2)
            parts.append(FrozenPart(call, tuple(layers) if frozen else None))
            own.add([(k[:, :, :0], v[:, :, :0]) for k, v in layers] if frozen else layers)
            for offset, token in enumerate(ids):
                wanted.append(read(tiny, [token], 10 + len(prompt) + offset, cache, ape=call))
        starts = torch.tensor([10 + len(prompt) for prompt in prompts])[:, None]
        call = BatchCall(own, slice(0, len(calls)), parts, queries)
        logits = tiny.step(torch.tensor(following), starts + torch.arange(queries), call)
    torch.testing.assert_close(logits.flatten(0, 1), torch.stack(wanted), atol=2e-3, rtol=0)


def test_a_prefix_is_read_once_for_all_rows_that_share_it(tiny, monkeypatch):
    calls = []
    kernel = batched_attention.partial_attention
    monkeypatch.setattr(
        batched_attention,
        "partial_attention",
        lambda *args, **kw: calls.append(args[1].shape) or kernel(*args, **kw),
    )
    prefix, own = encode_prefix(tiny, [5, 6, 7, 8]), RowKeys()
    for _ in range(3):
        own.add([(keys[:, :, :0], values[:, :, :0]) for keys, values in prefix.layers()])
    parts = [FrozenPart(ApeCall.over(prefix, [])) for _ in range(3)]
    call = BatchCall(own, slice(0, 3), parts, 2)
    calls.clear()
    tiny.step(torch.tensor([[9, 10]] * 3), torch.tensor([[4, 5]] * 3), call)
    assert len(calls) == 2 * tiny.geometry.layers, "the rows' own keys, and the prefix"


def test_a_short_prefix_begins_every_row_and_a_long_one_is_shared(engine):
    short = start(engine).hand_over()[0]
    frozen, layers = short.beginning()
    assert frozen.ape.prefix is None
    assert layers[0][0].shape[2] == short.ape.prefix[0][0].shape[2] + short.cache.layers[0].keys.shape[2]
    long = start(engine, question="dogs? " * 60).hand_over()[0]
    frozen, layers = long.beginning()
    assert (frozen.prompt is None, frozen.ape.prefix is None) == (False, False)
    assert layers[0][0].shape[2] == 0


def test_a_batch_ignores_what_lies_behind_a_row(engine):
    """A place that a longer row left behind is reused without a trace."""
    scheduler = Scheduler(engine.lm)
    long = scheduler.join(start(engine, max_tokens=40), Ear())
    other = scheduler.join(start(engine, PASSAGES[:1], max_tokens=40), Ear())
    for _ in range(30):
        scheduler.step()
    long.cancel()
    scheduler.step()
    late = scheduler.join(start(engine, PASSAGES[:2]), Ear())
    results = run(scheduler, [other, late])
    assert results[0] == alone(start(engine, PASSAGES[:1], max_tokens=40))
    assert results[1] == alone(start(engine, PASSAGES[:2]))


def test_a_cancelled_answer_leaves_at_the_next_step_with_all_it_held(engine):
    scheduler = Scheduler(engine.lm)
    stays = scheduler.join(start(engine), Ear())
    leaves = scheduler.join(start(engine, PASSAGES[:1]), Ear())
    held = weakref.ref(leaves.frozen.ape.passages[0][0][0])
    scheduler.step()
    leaves.cancel()
    scheduler.step()
    assert len(scheduler) == 1
    assert leaves.listener.ends == [None]
    assert leaves.finish_reason is None
    assert leaves.usage.generated_tokens == 2
    del leaves
    gc.collect()
    assert held() is None
    assert run(scheduler, [stays]) == [alone(start(engine))]


def test_an_answer_that_fails_does_not_take_the_others_along(engine):
    class Deaf(Ear):
        def said(self, text):
            super().said(text)
            if len(self.pieces) == 3:
                raise RuntimeError("gone")

    scheduler = Scheduler(engine.lm)
    well = scheduler.join(start(engine), Ear())
    deaf = scheduler.join(start(engine), Deaf())
    broken = scheduler.join(start(engine, PASSAGES[:1]), Ear())
    broken.frozen = FrozenPart(ApeCall(passages=(((torch.zeros(1, 2, 3, 4),) * 2,) * 3,)))
    assert run(scheduler, [well]) == [alone(start(engine))]
    assert [str(error) for error in deaf.listener.ends] == ["gone"]
    assert len(broken.listener.ends) == 1
    assert isinstance(broken.listener.ends[0], RuntimeError)
    assert well.listener.ends == [None]


def test_a_step_that_fails_as_a_whole_ends_every_answer_and_says_so(engine, monkeypatch):
    scheduler = Scheduler(engine.lm)
    rows = [scheduler.join(start(engine), Ear()) for _ in range(2)]
    with monkeypatch.context() as broken:
        broken.setattr(scheduler, "_logits", lambda drafts: [])
        broken.setattr(scheduler._own, "remove", None)
        rows[0].cancel()
        assert scheduler.step() is False
    assert [len(row.listener.ends) for row in rows] == [1, 1]
    assert isinstance(rows[0].listener.ends[0], TypeError)
    assert run(scheduler, [scheduler.join(start(engine), Ear())]) == [alone(start(engine))]


def test_without_answers_a_scheduler_holds_nothing(engine):
    scheduler = Scheduler(engine.lm)
    rows = [scheduler.join(start(engine), Ear()) for _ in range(3)]
    for row in rows:
        row.cancel()
    assert scheduler.step() is False
    assert [row.listener.ends for row in rows] == [[None]] * 3
    assert (len(scheduler), scheduler.step(), scheduler.nbytes) == (0, False, 0)


def test_a_generation_is_handed_over_before_it_begins_or_never(engine):
    begun = start(engine)
    begun.step()
    for generation in (begun, closed := start(engine)):
        closed.close()
        with pytest.raises(ValueError, match="not begun"):
            Scheduler(engine.lm).join(generation, Ear())


def test_rows_grow_and_shrink_without_losing_a_key():
    own = RowKeys()
    wanted = []
    draw = torch.Generator().manual_seed(1)

    def random(tokens):
        return [tuple(torch.randn(1, 2, tokens, 3, generator=draw) for _ in range(2)) for _ in range(2)]

    for tokens in (3, 200, 0, 70, 1, 5):
        layers = random(tokens)
        own.add(layers)
        wanted.append([[part[0] for part in layer] for layer in layers])
    for row in (1, 4, 0):
        own.remove(row)
        wanted[row] = wanted[-1]
        wanted.pop()
    assert own.lengths == [layers[0][0].shape[1] for layers in wanted]
    own.reserve(300)
    for layer in range(2):
        new = torch.randn(3, 2, 1, 3, generator=draw)
        places = torch.tensor(own.lengths)[:, None]
        keys, _ = own.write(layer, slice(0, 3), own.spots(slice(0, 3), places), new, new)
        for row, layers in enumerate(wanted):
            got = keys[row, :, : own.lengths[row] + 1]
            assert torch.equal(got, torch.cat([layers[layer][0], new[row]], dim=1))
    for _ in range(3):
        own.remove(0)
    assert own.nbytes == 0
