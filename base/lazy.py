"""Lazy imports: names of a package that are looked up in their modules at first use."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`. `homes` maps each name to its module.

    >>> lazily("shapes", {"Fraction": "fractions"})("Fraction")
    <class 'fractions.Fraction'>
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return get
