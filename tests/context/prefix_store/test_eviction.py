"""What goes first, what is kept at all, and the pauses of a tier that fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.prefix_store import MemoryTier
from context.prefix_store.admission import SeenOnce, admits
from context.prefix_store.breaker import Breaker
from context.prefix_store.eviction import EVICTIONS, GDSF, Use, make_eviction
from context.prefix_store.tiers.ledger import Ledger
from tests.support.context_blocks import BLOCK, key_of, stored_of


def left_after(eviction: str, uses: str, costs: dict[str, float] | None = None) -> str:
    """Which of the passages a, b, c ... a tier of two has left after these uses."""
    tier = MemoryTier(2 * BLOCK, eviction)
    for letter in uses:
        if tier.get(key_of(ord(letter))) is None:
            tier.put(key_of(ord(letter)), stored_of(1, seconds=(costs or {}).get(letter, 1.0)))
    return "".join(letter for letter in sorted(set(uses)) if tier.delete(key_of(ord(letter))))


@pytest.mark.parametrize(
    ("eviction", "uses", "left"),
    [
        ("lru", "aaabc", "bc"),
        ("lru", "abac", "ac"),
        ("lfu", "aaabc", "ac"),
        ("lfu", "aaabcde", "ae"),
        ("lfu", "abc", "bc"),
        ("gdsf", "aaabc", "ac"),
        ("gdsf", "abc", "bc"),
    ],
)
def test_each_strategy_keeps_what_it_should(eviction, uses, left):
    assert left_after(eviction, uses) == left


def test_gdsf_weighs_the_cost_and_ages():
    costs = {"a": 10.0}
    assert left_after("gdsf", "abc", costs) == "ac"
    assert left_after("lru", "abc", costs) == "bc"
    many = "".join("bcdefgh"[at % 7] for at in range(40))
    assert "a" not in left_after("gdsf", "a" + many, costs)  # dear once, and not asked for since
    assert "a" in left_after("lfu", "aaa" + many)  # without ageing it stays


def test_gdsf_prefers_many_small_ones():
    gdsf = GDSF()
    assert gdsf.priority(Use(size=10, seconds=1, times=1, last=1)) > gdsf.priority(
        Use(size=100, seconds=1, times=1, last=1)
    )


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["add", "touch", "remove", "evict"]), st.integers(0, 5), st.integers(1, 9)),
    max_size=80,
)


@given(st.sampled_from(EVICTIONS), ACTIONS)
def test_the_ledger_agrees_with_a_plain_sorted_list(eviction, actions):
    """The heap with its stale entries against a search through all entries."""
    ledger, rule = Ledger(30, make_eviction(eviction)), make_eviction(eviction)
    plain: dict[int, tuple[float, int, Use]] = {}
    clock = 0
    for action, name, size in actions:
        key = key_of(name)
        if action == "add" or (action == "touch" and name in plain):
            clock += 1
            use = Use(size, 1.0, 0, 0) if action == "add" else plain[name][2]
            use.times, use.last = use.times + 1, clock
            plain[name] = rule.priority(use), clock, use
        elif action == "remove":
            plain.pop(name, None)
        if action == "add":
            ledger.add(key, size, 1.0)
        elif action == "touch":
            ledger.touch(key)
        elif action == "remove":
            ledger.remove(key)
        elif action == "evict":
            gone = []
            while sum(use.size for *_, use in plain.values()) + size > 30:
                victim = min(plain, key=lambda one: plain[one][:2])
                rule.evicted(plain.pop(victim)[0])
                gone.append(key_of(victim))
                if not plain:
                    break
            seen = []
            for victim_key in ledger.victims(size):
                ledger.remove(victim_key)
                seen.append(victim_key)
            assert seen == gone
        assert ledger.bytes == sum(use.size for *_, use in plain.values())
        assert set(ledger) == {key_of(name) for name in plain}


def test_the_ledger_forgets_stale_entries():
    ledger = Ledger(100, make_eviction("lru"))
    ledger.add(key_of(1), 1, 0.0)
    for _ in range(1000):
        ledger.touch(key_of(1))
    assert len(ledger._order) <= 2 + 64


def test_admission():
    assert admits("always", again=False, room=False)
    assert [admits("second-use", again=again, room=True) for again in (False, True)] == [False, True]
    assert [admits("room", again=False, room=room) for room in (False, True)] == [False, True]
    assert admits("room", again=True, room=False)


def test_what_was_seen_once_is_bounded():
    seen = SeenOnce(3)
    for number in range(5):
        seen.note(key_of(number))
    assert len(seen) == 3
    assert [seen.take(key_of(number)) for number in range(5)] == [False, False, True, True, True]
    assert not seen.take(key_of(4))


def test_a_breaker_waits_longer_after_each_failure_and_lets_one_try():
    now = [0.0]
    breaker = Breaker(1.0, 3.0, clock=lambda: now[0])
    assert breaker.allows()
    assert breaker.failed()
    assert not breaker.failed()  # a call that was under way already
    assert not breaker.allows()
    for pause in (1.0, 2.0, 3.0, 3.0):
        now[0] += pause - 0.01
        assert not breaker.allows()
        now[0] += 0.02
        assert breaker.allows()
        assert not breaker.allows()  # one at a time
        assert not breaker.failed()
    now[0] += 3.01
    assert breaker.allows()
    assert breaker.worked()
    assert breaker.allows()
    assert not breaker.worked()
