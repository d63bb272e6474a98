"""Plans: the stages that a query runs, with all their settings.

A request's plan overrides the collection's, which overrides a preset, which overrides the stages' defaults.
They are JSON objects, merged key by key. null switches a stage off, an object switches it on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, Literal, TypeAlias, get_type_hints

import msgspec
from excerpta.types import PlanOptions
from excerpta.types.compress import CompressMethod
from excerpta.types.fuse import FuseMethod
from excerpta.types.reading import ReadingMethod
from excerpta.types.rerank import RerankMethod
from excerpta.types.retrieve import RetrieverOptions
from excerpta.types.rewrite import RewriteMethod

from api.errors import InvalidPlan, UnknownPlan
from api.query.catalogues import CATALOGUES, REMEDIES
from base.methods import AUTO, TAG, UnknownMethod
from retrieval.catalogue import METHODS, RETRIEVERS

_Json: TypeAlias = dict[str, Any]


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of a stage's settings, all of them with a value."""


Retrieve: TypeAlias = dict[str, RetrieverOptions | None]
"""The options of every retriever; None where one does not run. At least one runs."""


class Group(Stage, frozen=True):
    """What passages have in common that are shown as one hit, and how many others are listed with it."""

    by: str
    passages: int


class Prompt(Stage, frozen=True):
    """The prompt of an answer. Without `modules`, all of them are used."""

    name: str
    modules: list[str] | None = None
    parameters: dict[str, str] = {}


class Context(Stage, frozen=True):
    """How many passages are read, and how. All their kept keys are read: there is no selection yet."""

    passages: int
    reading: ReadingMethod
    selection: None
    prompt: Prompt | None


class Answer(Stage, frozen=True):
    """How the answer is generated. Without a seed, a sampled answer differs each time."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    stop: tuple[str, ...]
    unsupported: Literal["show", "refuse"]


class Plan(Stage, frozen=True):
    """The complete plan of one query. `base` is the preset that it started from."""

    base: str
    rewrite: RewriteMethod | None
    retrieve: Retrieve
    fuse: FuseMethod
    group: Group | None
    rerank: RerankMethod | None
    compress: CompressMethod | None
    context: Context
    answer: Answer | None


def _reranker(preset: str) -> _Json | None:
    """What a preset ranks by: a method says it itself. None where none does."""
    return next(({TAG: name} for name, one in CATALOGUES["rerank"].items() if preset in one.presets), None)


STAGES: _Json = {
    "rewrite": {},
    "retrieve": {name: {} for name in RETRIEVERS},
    "fuse": {"weights": {name: retriever.weight for name, retriever in RETRIEVERS.items()}},
    "group": {"by": "text", "passages": 10},
    "rerank": _reranker("best"),
    "compress": {},
    "context": {
        "passages": 3,
        "reading": {},
        "selection": None,
        "prompt": None,
    },
    "answer": {
        "max_tokens": 96,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": None,
        "stop": [],
        "unsupported": "show",
    },
}
"""The default settings of each stage."""


def _retrievers(preset: str) -> _Json:
    """Which retrievers a preset runs: each says it itself."""
    return {name: {} if preset in retriever.presets else None for name, retriever in RETRIEVERS.items()}


PRESETS: dict[str, _Json] = {
    "fast": {
        "retrieve": _retrievers("fast"),
        "group": None,
        "rerank": None,
        "compress": None,
        "answer": None,
    },
    "balanced": {"retrieve": _retrievers("balanced"), "rerank": _reranker("balanced")},
    "best": {
        "retrieve": _retrievers("best"),
        "rerank": {**(_reranker("best") or {}), "limit": 20},
        "compress": {"target_tokens": 2400},
        "context": {"passages": 8},
        "answer": {"max_tokens": 160},
    },
}
"""`fast` only finds; `balanced` answers what fusion finds; `best` looks at more, and reranks it (ADR 20)."""

DEFAULT = "balanced"
DEEPEST = 1000
"""Passages that a retriever finds at most, and so the length of the longest list."""

_SEARCH_ONLY: _Json = {"rerank": None, "compress": None, "answer": None}


# Evaluating annotations takes longer than the rest of a plan, which every query resolves.
_kinds = cache(get_type_hints)


def resolve(
    asked: str | PlanOptions | None,
    stored: str | PlanOptions | None = None,
    *,
    search: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of a request, over the one stored with its collection, over the defaults of the `profile`.

    A request that names a `base` leaves the stored plan aside. `search` is for retrieval alone: other
    stages run only where the request itself switches them on. Raises UnknownPlan, InvalidPlan.

    >>> resolve("fast").answer is None, resolve({"rerank": {"limit": 3}}).rerank.limit
    (True, 3)
    """
    base, layers = _layers(stored, asked)
    if search:
        layers.insert(len(layers) - 1, _SEARCH_ONLY)
        if layers[-1].get("answer") is not None:
            raise InvalidPlan("/v1/search writes no answer: leave `answer` out, or ask /v1/query.")
    plan = _merged(base, layers, profile)
    resolved = Plan(**{stage: _resolved(stage, options) for stage, options in plan.items()})
    _check(resolved)
    return resolved


def deepest(
    asked: str | PlanOptions | None,
    stored: str | PlanOptions | None = None,
    *,
    profile: Mapping[str, Any] | None = None,
) -> Retrieve:
    """The retrievers of the same plan where a page or its groups need more than they usually find.

    One whose `limit` a plan sets finds no more than that. Raises UnknownPlan, InvalidPlan.

    >>> retrievers = deepest({"base": "fast", "retrieve": {"lexical": {"limit": 7}}})
    >>> retrievers["tokens"].limit, retrievers["lexical"].limit
    (1000, 7)
    """
    given = _merged(*_layers(stored, asked), profile)["retrieve"]
    return {
        name: _retriever(name, None if options is None else {"limit": DEEPEST, **options})
        for name, options in given.items()
    }


def _merged(base: str, layers: Iterable[_Json], profile: Mapping[str, Any] | None) -> _Json:
    plan: _Json = {"base": base} | STAGES
    for layer in [dict(profile or {}), *layers]:
        plan = _merge(plan, layer, STAGES)
    return plan


def _resolved(stage: str, options: Any) -> Any:
    """A stage's options as a struct; None where the stage is off."""
    if options is None:
        return msgspec.convert(None, _kinds(Plan)[stage])
    if stage == "retrieve":
        return {name: _retriever(name, given) for name, given in options.items()}
    if stage in CATALOGUES:
        return CATALOGUES[stage].resolve(options)
    kind = _kinds(Plan)[stage]
    inside = {name: f"{stage}.{name}" for name in options if f"{stage}.{name}" in CATALOGUES}
    if not inside:
        return msgspec.convert(options, kind)
    methods = {name: CATALOGUES[place].resolve(options[name]) for name, place in inside.items()}
    kinds = _kinds(kind)
    return kind(
        **{
            name: methods[name] if name in methods else msgspec.convert(value, kinds[name])
            for name, value in options.items()
        }
    )


def _retriever(name: str, options: _Json | None) -> RetrieverOptions | None:
    """A retriever's options. Raises UnknownMethod, InvalidOption."""
    if name not in METHODS or (options or {}).get(TAG, name) != name:
        raise UnknownMethod("retrieve", name if name not in METHODS else str((options or {})[TAG]), METHODS)
    return None if options is None else METHODS.resolve({**options, TAG: name})


def check_needs(plan: Plan, available: Collection[str]) -> None:
    """Raises MethodUnavailable for a stage whose method has a requirement that is not `available`."""
    for stage, catalogue in CATALOGUES.items():
        options = attrgetter(stage)(plan)
        if options is not None:
            catalogue.check(options, available, REMEDIES)
    for options in plan.retrieve.values():
        if options is not None:
            METHODS.check(options, available, REMEDIES)


def check(stored: str | PlanOptions | None) -> None:
    """Raises UnknownPlan or InvalidPlan for a plan that could not be used."""
    resolve(stored)


def _layers(*plans: str | PlanOptions | Mapping[str, Any] | None) -> tuple[str, list[_Json]]:
    """The preset that counts, and the layers over it; the last plan's layer is last, if it is empty too."""
    base, layers = DEFAULT, [PRESETS[DEFAULT]]
    for plan in plans:
        layer: _Json = {"base": plan} if isinstance(plan, str) else msgspec.to_builtins(plan) or {}
        if (name := layer.get("base")) is not None:
            if name not in PRESETS:
                raise UnknownPlan(name, sorted(PRESETS))
            base, layers = name, [PRESETS[name]]
        if layer.get("compress") == AUTO:
            layer = {**layer, "compress": {"when": AUTO}}
        layers.append({stage: options for stage, options in layer.items() if stage != "base"})
    return base, layers


def _merge(below: _Json, above: _Json, defaults: _Json, at: str = "") -> _Json:
    """`above` merged over `below`. A stage that was off starts from its defaults. Prompts are not merged."""
    merged = dict(below)
    for name, value in above.items():
        place, default = f"{at}{name}", defaults.get(name) or {}
        under = default if below.get(name) is None else below[name]
        if isinstance(value, dict) and place in CATALOGUES:
            merged[name] = CATALOGUES[place].merge(under, value)
        elif isinstance(value, dict) and name != "prompt":
            merged[name] = _merge(under, value, default, f"{place}.")
        else:
            merged[name] = value
    return merged


def _check(plan: Plan) -> None:
    unknown = sorted(plan.fuse.weights.keys() - METHODS.keys())
    if unknown:
        raise InvalidPlan(
            f"`fuse.weights` names no retriever by {unknown[0]!r}; there are {', '.join(METHODS)}."
        )
    on = [name for name, options in plan.retrieve.items() if options is not None]
    if not on:
        raise InvalidPlan(f"no retriever is on; switch on one of {', '.join(METHODS)}.")
    if not any(plan.fuse.weights.get(name, 1.0) > 0 for name in on):
        raise InvalidPlan(f"every retriever that is on ({', '.join(on)}) has the weight 0 in `fuse.weights`.")
