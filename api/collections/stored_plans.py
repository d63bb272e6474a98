"""Plans that an earlier version stored, in today's form.

Before methods had options of their own, a plan kept the reading's numbers flat in `context`, and options that
a method does not read were accepted and ignored. The presets that a plan starts from change as well: settings
say which edition of them they were stored over. Such plans keep their meaning.
"""

from __future__ import annotations

from typing import Any

import msgspec
from excerpta.types import CollectionSettings

from api.query.catalogues import CATALOGUES
from base.methods import TAG, UnknownMethod

_FLAT = ("temperature", "scale", "bias", "keep")

EDITION = 2
"""The edition of today's presets. The first one reranked by `likelihood` in all but `fast` (ADR 20)."""
_KEY = "presets"


def stored(settings: CollectionSettings) -> str:
    """A collection's settings as they are stored."""
    return msgspec.json.encode(msgspec.to_builtins(settings) | {_KEY: EDITION}).decode()


def upgraded(settings: dict[str, Any]) -> dict[str, Any]:
    """A collection's settings, as they were stored, with a plan of today.

    >>> old = {"fuse": {"k": 7}, "rerank": None, "context": {"mode": "epic", "keep": 2, "passages": 3}}
    >>> upgraded({"plan": old})["plan"]
    {'fuse': {}, 'rerank': None, 'context': {'passages': 3, 'reading': {'method': 'epic'}}}
    """
    edition = settings.get(_KEY, 1)
    settings = {name: value for name, value in settings.items() if name != _KEY}
    plan = settings.get("plan")
    if not isinstance(plan, dict):
        return settings
    if edition < EDITION:
        plan = _reranking(plan)
    plan = {stage: _context(value) if stage == "context" else value for stage, value in plan.items()}
    for stage in CATALOGUES:
        owner, _, name = stage.rpartition(".")
        holder = plan.get(owner) if owner else plan
        if isinstance(holder, dict) and isinstance(holder.get(name), dict):
            holder[name] = _read_options(stage, holder[name])
    return settings | {"plan": plan}


def _reranking(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan with the reranker that its preset had, unless it names its own or switches the stage off.

    >>> _reranking({"rerank": {"limit": 5}}), _reranking({"base": "fast"})
    ({'rerank': {'method': 'likelihood', 'limit': 5}}, {'base': 'fast'})
    """
    options = plan.get("rerank", {})
    if options is None or TAG in options or (plan.get("base") == "fast" and not options):
        return plan
    limit = {"limit": 20} if plan.get("base") == "best" else {}
    return plan | {"rerank": {TAG: "likelihood"} | limit | options}


def _context(context: Any) -> Any:
    if not isinstance(context, dict) or not {"mode", *_FLAT}.intersection(context):
        return dict(context) if isinstance(context, dict) else context
    rest = {name: value for name, value in context.items() if name not in ("mode", *_FLAT)}
    reading = {name: context[name] for name in _FLAT if name in context}
    if "mode" in context:
        reading[TAG] = context["mode"]
    return rest | {"reading": reading}


def _read_options(stage: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options without those that the method never read."""
    catalogue = CATALOGUES[stage]
    try:
        method = catalogue[options.get(TAG, catalogue.default)]
    except UnknownMethod:  # refused when it is used, with the allowed ones
        return options
    return {name: value for name, value in options.items() if name in (TAG, *method.fields)}
