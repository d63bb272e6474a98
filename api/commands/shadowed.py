"""Checks that Python imports our packages and not others with the same names."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from api.errors import ShadowedPackage

PACKAGES = ("base", "api", "retrieval", "rerank", "compress", "context", "models", "migrations")


def refuse_shadows() -> None:
    """Raises ShadowedPackage unless all our packages are in the same directory as this one."""
    root = Path(__file__).resolve().parents[2]
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent.parent != root:
            raise ShadowedPackage(package, str(found), str(root / package))
