"""An engine with room in its store, for the tests of readings."""

import pytest

from context import ContextEngine, PrefixStore


@pytest.fixture
def store():
    with_room = PrefixStore(10**8)
    yield with_room
    with_room.close()


@pytest.fixture
def engine(tiny, store):
    return ContextEngine(tiny, store)
