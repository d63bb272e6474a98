"""Methods and their catalogues: the ways to do a stage of a query, by name.

A method is one file, one options struct and one line of its stage's catalogue. The struct is the method's
part of a plan (`excerpta.types`). The file has the implementation. Nothing else names the method.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

import msgspec

from base.errors import ExcerptaError

AUTO = "auto"
TAG = "method"


class Options(Protocol):
    """The interface of an options struct. `excerpta.types.methods.MethodOptions` implements it."""

    paper: ClassVar[str]
    score_scale: ClassVar[str]

    @classmethod
    def name(cls) -> str:
        """What a plan calls the method."""
        ...

    @classmethod
    def summary(cls) -> str:
        """The method in one line."""
        ...


O = TypeVar("O", bound=Options)  # noqa: E741
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class UnknownMethod(ExcerptaError):
    """A plan names a method that its stage does not have."""

    def __init__(self, stage: str, method: str, allowed: Collection[str]) -> None:
        super().__init__(f"{stage} has no method {method!r}; choose one of {', '.join(allowed)}.")
        self.stage = stage
        self.method = method
        self.allowed = list(allowed)


class InvalidOption(ExcerptaError):
    """An option is not one of the method's, or its value is out of bounds."""

    def __init__(self, stage: str, method: str, option: str, reason: str, allowed: Collection[str]) -> None:
        known = f"; its options are {', '.join(allowed)}" if allowed else ""
        super().__init__(f"{stage} by {method!r}: `{option}` {reason}{known}.")
        self.stage = stage
        self.method = method
        self.option = option
        self.reason = reason
        self.allowed = list(allowed)


class MethodUnavailable(ExcerptaError):
    """The profile, or the collection, lacks something that a method needs."""

    def __init__(self, stage: str, method: str, missing: Mapping[str, str]) -> None:
        remedies = "; ".join(f"{need}: {remedy}" for need, remedy in missing.items())
        super().__init__(f"{stage} by {method!r} needs what is not here. {remedies}.")
        self.stage = stage
        self.method = method
        self.missing = list(missing)


@dataclass(frozen=True, slots=True)
class Method(Generic[O, T_co]):
    """One way to do a stage.

    `options` is the struct with its name, bounds and defaults. `make` builds what runs from the profile's
    networks, at first use. `needs` names what must be there: a network's role (`lm`, `encoder`), trained
    weights (`head:first`), an index (`index:impacts`), cached blocks (`blocks`). `measured` is its effect
    in one line, with the benchmark that repeats it; empty where nothing was measured. `presets` are the plans
    whose stage runs by it where they name no method.
    """

    options: type[O]
    make: Callable[[Any], T_co]
    needs: frozenset[str] = frozenset()
    measured: str = ""
    presets: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What a plan calls the method."""
        return self.options.name()

    @property
    def summary(self) -> str:
        """The method in one line."""
        return self.options.summary()

    @property
    def paper(self) -> str:
        """Where the method is published; empty for ours."""
        return self.options.paper

    @property
    def score_scale(self) -> str:
        """What its scores mean, where hits have them as `score`; empty for other stages."""
        return self.options.score_scale

    @property
    def file(self) -> str:
        """The module in which the method is made."""
        return inspect.getmodule(self.make).__name__  # type: ignore[union-attr]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the options."""
        return cast(Any, self.options).__struct_fields__


class Catalogue(Mapping[str, Method[O, T]]):
    """The methods of one stage by name. The first is the default, which `auto` stands for.

    >>> class Base(msgspec.Struct, frozen=True, tag_field="method"):
    ...     limit: int = 10
    ...     name = classmethod(lambda cls: cls.__struct_config__.tag)
    >>> class Sorted(Base, frozen=True, tag="sorted"):
    ...     reverse: bool = False
    >>> catalogue = Catalogue("order", Base, Method(Sorted, lambda networks: sorted))
    >>> catalogue.resolve({"reverse": True})
    Sorted(limit=10, reverse=True)
    """

    def __init__(self, stage: str, base: type[Any], *methods: Method[Any, T]) -> None:
        """`base` is the struct with the options that all methods of the stage have."""
        self.stage = stage
        self._methods = {method.name: method for method in methods}
        self._common = frozenset(base.__struct_fields__)
        self.default = methods[0].name

    def __getitem__(self, name: str) -> Method[O, T]:
        """The method of this name, `auto` included. Raises UnknownMethod."""
        found = self._methods.get(self.default if name == AUTO else name)
        if found is None:
            raise UnknownMethod(self.stage, name, [AUTO, *self._methods])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def __contains__(self, name: object) -> bool:
        return name in self._methods

    def merge(self, below: Mapping[str, Any] | None, above: Mapping[str, Any]) -> dict[str, Any]:
        """A plan's options `above` over those of the plan `below`, if that has the stage on.

        Where `above` names another method, only the options that all methods of the stage have stay.
        """
        below = below or {}
        named = above.get(TAG)
        if named is not None and self._resolved(named) != self._resolved(below.get(TAG)):
            below = {key: value for key, value in below.items() if key in self._common}
        merged = dict(below)
        for key, value in above.items():
            old = merged.get(key)
            merged[key] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
        return merged

    def resolve(self, given: Mapping[str, Any]) -> O:
        """The options as a struct, defaults filled in. Raises UnknownMethod, InvalidOption."""
        name = given.get(TAG, AUTO)
        if not isinstance(name, str):
            raise UnknownMethod(self.stage, str(name), [AUTO, *self._methods])
        method = self[name]
        unknown = [key for key in given if key != TAG and key not in method.fields]
        if unknown:
            raise InvalidOption(
                self.stage, method.name, unknown[0], "is not one of its options", method.fields
            )
        try:
            return msgspec.convert({**given, TAG: method.name}, method.options)
        except msgspec.ValidationError as error:
            option, reason = _fault(error)
            raise InvalidOption(self.stage, method.name, option, reason, method.fields) from error

    def of(self, options: Options) -> Method[O, T]:
        """The method that these options belong to."""
        return self[options.name()]

    def check(self, options: Options, available: Collection[str], remedies: Mapping[str, str]) -> None:
        """Raises MethodUnavailable, with the remedies, if a requirement of the method is not `available`."""
        missing = sorted(self.of(options).needs.difference(available))
        if missing:
            lacking = {need: remedies.get(need, "this service does not have it") for need in missing}
            raise MethodUnavailable(self.stage, options.name(), lacking)

    def _resolved(self, name: object) -> object:
        return self.default if name in (AUTO, None) else name


def _fault(error: msgspec.ValidationError) -> tuple[str, str]:
    """The option that an error is about, and the reason."""
    reason, _, place = str(error).partition(" - at `$.")
    named = re.match(r"\w+", place) or re.search(r"(?<=`)\w+(?=`)", reason)
    return (named[0] if named else ""), f"is wrong: {reason}"
