"""A prompt's own modules (Prompt Cache, Gim et al. 2024, arXiv 2311.04934): named texts with parameters.

They come between the service's words and the passages, one after the other. Each is encoded alone, once,
and reused by every prompt that has it, with any other modules before it and any arguments: while it is
encoded, a parameter reserves its positions.

Difference from the paper: modules have no fixed positions, because keys can be turned to any
(models.attention.rotation). So no place stays empty, and a prompt without a module, or with a short
argument, is an ordinary text.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from context.errors import InvalidPromptModule

Encode: TypeAlias = Callable[[str], list[int]]


@dataclass(frozen=True, slots=True)
class Module:
    """A text with a name; `{name}` in it is a parameter, of at most `parameters[name]` tokens."""

    name: str
    text: str
    parameters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FilledPrompt:
    """The modules that a prompt uses, in order, and the arguments. A parameter without a value is empty.

    The modules' blocks are deleted with `document`, and shared only between equal salts.
    """

    modules: tuple[Module, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)
    document: str = ""
    salt: bytes = b"modules"

    @property
    def text(self) -> str:
        """All of it as one text."""
        pieces = chain.from_iterable(_pieces(module) for module in self.modules)
        return "".join(self.arguments.get(one.name, "") if isinstance(one, _Slot) else one for one in pieces)


@dataclass(frozen=True, slots=True)
class TextRun:
    """Tokens `start` to `stop` of a module, a piece of its own text."""

    module: int
    start: int
    stop: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModuleIds:
    """Filled modules as token ids.

    `modules` are what is read once: own text, and None for each place that a parameter holds free. `runs`
    are the prompt's tokens in order: pieces of modules, and arguments as they are.
    """

    modules: tuple[tuple[int | None, ...], ...]
    runs: tuple[TextRun | tuple[int, ...], ...]

    @property
    def ids(self) -> list[int]:
        """The prompt's tokens in order."""
        return [token for run in self.runs for token in (run.ids if isinstance(run, TextRun) else run)]


def check_modules(modules: Sequence[Module]) -> None:
    """Raises InvalidPromptModule for modules that contradict themselves or each other."""
    names: set[str] = set()
    parameters: set[str] = set()
    for module in modules:
        if module.name in names:
            raise InvalidPromptModule(module.name, "there are two of this name")
        names.add(module.name)
        pieces = _pieces(module)
        slots = [one.name for one in pieces if isinstance(one, _Slot)]
        for name in slots:
            if name in parameters:
                raise InvalidPromptModule(module.name, f"{{{name}}} stands in the prompt once")
            parameters.add(name)
        if unused := sorted(set(module.parameters) - set(slots)):
            raise InvalidPromptModule(module.name, f"its text has no {', '.join(unused)}")
        if len(slots) == len(pieces):
            raise InvalidPromptModule(module.name, "it has no text")


def choose(
    modules: Sequence[Module],
    names: Sequence[str] | None = None,
    arguments: Mapping[str, str] | None = None,
    *,
    document: str = "",
) -> FilledPrompt:
    """The modules of these names, or all, in the schema's order. Raises InvalidPromptModule.

    >>> schema = [Module("role", "You help {who}. ", {"who": 4}), Module("tone", "Be brief. ")]
    >>> choose(schema, arguments={"who": "pilots"}).text
    'You help pilots. Be brief. '
    """
    known = {module.name: module for module in modules}
    for name in names or ():
        if name not in known:
            raise InvalidPromptModule(name, f"the prompt has no such module; it has {', '.join(known)}")
    used = tuple(module for module in modules if names is None or module.name in names)
    there = [name for module in used for name in module.parameters]
    for name in arguments or {}:
        if name not in there:
            raise InvalidPromptModule(
                name,
                f"no module that is used has such a parameter; there are {', '.join(there) or 'none'}",
            )
    return FilledPrompt(used, dict(arguments or {}), document)


def module_ids(prompt: FilledPrompt, encode: Encode) -> ModuleIds:
    """The prompt as token ids; `encode` reads plain text. Raises InvalidPromptModule for a long argument."""
    modules: list[tuple[int | None, ...]] = []
    runs: list[TextRun | tuple[int, ...]] = []
    for number, module in enumerate(prompt.modules):
        ids: list[int | None] = []
        for piece in _pieces(module):
            if isinstance(piece, _Slot):
                value = tuple(encode(prompt.arguments.get(piece.name, "")))
                if len(value) > piece.tokens:
                    raise InvalidPromptModule(
                        module.name,
                        f"{piece.name!r} has {len(value)} tokens; there is room for {piece.tokens}",
                    )
                runs.append(value)
                ids += [None] * piece.tokens
            else:
                text = tuple(encode(piece))
                runs.append(TextRun(number, len(ids), len(ids) + len(text), text))
                ids += text
        modules.append(tuple(ids))
    return ModuleIds(tuple(modules), tuple(run for run in runs if not isinstance(run, tuple) or run))


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    tokens: int


def _pieces(module: Module) -> list[str | _Slot]:
    try:
        parsed = list(string.Formatter().parse(module.text))
    except ValueError as error:
        raise InvalidPromptModule(
            module.name, f"{error}; a brace that means itself is written twice"
        ) from error
    pieces: list[str | _Slot] = []
    text = ""
    for literal, name, form, conversion in parsed:
        text += literal
        if name is None:
            continue
        tokens = module.parameters.get(name, 0)
        if form or conversion or tokens < 1:
            raise InvalidPromptModule(
                module.name, f"{{{name}}} is no parameter of it; name it there with its most tokens"
            )
        pieces += [text, _Slot(name, tokens)] if text else [_Slot(name, tokens)]
        text = ""
    return [*pieces, text] if text else pieces
