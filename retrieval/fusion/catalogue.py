"""The ways to fuse by name; the first is the default."""

from __future__ import annotations

from excerpta.types.fuse import FuseMethod

from base.methods import Catalogue
from retrieval.fusion.base import Fusion
from retrieval.fusion.methods import rrf, scores, weighted

CATALOGUE: Catalogue[FuseMethod, Fusion] = Catalogue(
    "fuse",
    FuseMethod,
    scores.METHOD,
    rrf.METHOD,
    weighted.METHOD,
)
