"""How many examples a property is tried with: a few in the fast run, all of them in the full one."""

from hypothesis import settings

FAST = "fast"
_ALL = 100

# What is compiled at its first call, or waits for a busy core, is no failure.
settings.register_profile(FAST, deadline=None, max_examples=_ALL // 10)
settings.register_profile("full", deadline=None, max_examples=_ALL)


def examples(count: int) -> int:
    """The share of `count` that the profile in use takes: all of it with `--hypothesis-profile=full`."""
    return max(3, count * settings().max_examples // _ALL)
