"""Several ranked lists become one."""

from __future__ import annotations

from retrieval.fusion.base import Fusion, InvalidFusionOption, fuse
from retrieval.fusion.catalogue import CATALOGUE

__all__ = ["CATALOGUE", "Fusion", "InvalidFusionOption", "fuse"]
