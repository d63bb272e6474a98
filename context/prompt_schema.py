"""A schema of prompt modules (Prompt Cache, Gim et al. 2024, arXiv 2311.04934): texts with fixed positions.

Every module has its own range of positions, whether a prompt uses the modules before it or not. So its
keys and values are always the same, and are made once. Modules of which a prompt uses one at most share
a range as long as the longest of them. A parameter holds places free for what is filled in later.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from context.errors import InvalidPromptModule


@dataclass(frozen=True, slots=True)
class Module:
    """A text with a name; `{name}` in it is a parameter, of at most `parameters[name]` tokens."""

    name: str
    text: str
    parameters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Modules of which a prompt uses one at most."""

    modules: tuple[Module, ...]


@dataclass(frozen=True, slots=True)
class PlacedModule:
    """A module as tokens from position `start` on; `slots` are its parameters' positions.

    Where a slot is, `ids` has None.
    """

    name: str
    ids: tuple[int | None, ...]
    start: int
    slots: Mapping[str, range]

    @property
    def stop(self) -> int:
        """The position behind it."""
        return self.start + len(self.ids)


def lay_out(parts: Sequence[Module | OneOf], encode: Callable[[str], list[int]]) -> dict[str, PlacedModule]:
    """The modules by name, one part's positions behind the other's. Raises InvalidPromptModule.

    >>> parts = [Module("a", "xy"), OneOf((Module("b", "x"), Module("c", "xyz")))]
    >>> [(one.name, one.start, one.stop) for one in lay_out(parts, lambda text: [7] * len(text)).values()]
    [('a', 0, 2), ('b', 2, 3), ('c', 2, 5)]
    """
    placed: dict[str, PlacedModule] = {}
    start = 0
    for part in parts:
        members = part.modules if isinstance(part, OneOf) else (part,)
        for module in members:
            if module.name in placed:
                raise InvalidPromptModule(module.name, "there are two of this name")
            placed[module.name] = _place(module, start, encode)
        start = max((placed[module.name].stop for module in members), default=start)
    return placed


def _place(module: Module, start: int, encode: Callable[[str], list[int]]) -> PlacedModule:
    ids: list[int | None] = []
    slots: dict[str, range] = {}
    for literal, name, _, _ in string.Formatter().parse(module.text):
        ids += encode(literal) if literal else []
        if name is None:
            continue
        if name in slots or module.parameters.get(name, 0) < 1:
            raise InvalidPromptModule(
                module.name, f"{{{name}}} stands there once, with a length of 1 or more"
            )
        at = start + len(ids)
        slots[name] = range(at, at + module.parameters[name])
        ids += [None] * module.parameters[name]
    if unused := sorted(set(module.parameters) - set(slots)):
        raise InvalidPromptModule(module.name, f"its text has no {', '.join(unused)}")
    if all(token is None for token in ids):
        raise InvalidPromptModule(module.name, "it has no text")
    return PlacedModule(module.name, tuple(ids), start, slots)
