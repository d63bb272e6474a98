"""Plans that an earlier version stored, in today's form.

Before methods had options of their own, a plan kept the reading's numbers flat in `context`, and options that
a method does not read were accepted and ignored. Such plans keep their meaning.
"""

from __future__ import annotations

from typing import Any

from api.query.catalogues import CATALOGUES
from base.methods import TAG, UnknownMethod

_FLAT = ("temperature", "scale", "bias", "keep")


def upgraded(settings: dict[str, Any]) -> dict[str, Any]:
    """A collection's settings, as they were stored, with a plan of today.

    >>> upgraded({"plan": {"fuse": {"k": 7}, "context": {"mode": "epic", "keep": 2, "passages": 3}}})["plan"]
    {'fuse': {}, 'context': {'passages': 3, 'reading': {'method': 'epic'}}}
    """
    plan = settings.get("plan")
    if not isinstance(plan, dict):
        return settings
    plan = {stage: _context(value) if stage == "context" else value for stage, value in plan.items()}
    for stage in CATALOGUES:
        owner, _, name = stage.rpartition(".")
        holder = plan.get(owner) if owner else plan
        if isinstance(holder, dict) and isinstance(holder.get(name), dict):
            holder[name] = _read_options(stage, holder[name])
    return settings | {"plan": plan}


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
