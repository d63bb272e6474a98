"""Objects within an OpenDocument text: formulas as a line of text, charts as tables."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any, TypeAlias

from retrieval.corpus.loaders.odf.names import q
from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.web.mathml import Formula, formula_text

Part: TypeAlias = Callable[[str], Any | None]
"""The root of a part of the package by its name, None if there is none."""

_DEEPEST = 60


def object_root(node: Any, part: Part) -> Any | None:
    """The root of what a `draw:object` shows: a formula's `math`, or a chart's `office:chart`."""
    found = next((one for one in node if isinstance(one.tag, str)), None)
    if found is None and (target := node.get(q("xlink:href"))):
        found = part(posixpath.normpath(posixpath.join(target.removeprefix("./"), "content.xml")))
    if found is None or found.tag == q("math:math"):
        return found
    return next(found.iter(q("office:chart")), next(found.iter(q("math:math")), None))


def equation(root: Any) -> str:
    """A formula in MathML as one line of text."""
    return formula_text(_formula(root, 0))


def _formula(node: Any, depth: int) -> Formula:
    parts = [_formula(one, depth + 1) for one in node if isinstance(one.tag, str)] if depth < _DEEPEST else []
    return Formula(local(node), parts, node.text or "")
