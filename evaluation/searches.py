"""The product's query pipeline as something to evaluate, over sets that are indexed once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from excerpta.types import CollectionSettings, PlanOptions, SearchRequest

from api.errors import InvalidPlan, UnknownCollection
from api.query.engine import QueryEngine, open_engine
from api.settings import Settings
from evaluation.beir import DataSet
from evaluation.errors import UnfinishedQuery
from evaluation.runs import Ranked, best_first
from retrieval.types import Document

DEPTH = 200
"""Passages of a ranking. Requests over HTTP are given 100 at most, which may be fewer than 100 documents."""

Plan: TypeAlias = str | Mapping[str, Any] | None
"""A plan as a request has it: a preset's name, or options over one."""


@dataclass(frozen=True, slots=True)
class EngineSearches:
    """Ranks documents as the service does: retrieve, fuse, rerank by the plan. No answer is written.

    >>> EngineSearches.__doc__.startswith("Ranks")
    True
    """

    engine: QueryEngine
    collection: str
    plan: Plan = None
    depth: int = DEPTH

    async def search(self, question: str) -> Ranked:
        """The documents by their best passages. Raises the faults of the plan, and UnfinishedQuery."""
        request = SearchRequest(
            collection=self.collection, query=question, limit=self.depth, plan=ranking_plan(self.plan)
        )
        reply = await self.engine.ask(request)
        if reply.partial:
            raise UnfinishedQuery(question, reply.warnings)
        return Ranked(best_first(hit.document_id for hit in reply.hits), reply.timings_ms)


def ranking_plan(plan: Plan) -> PlanOptions:
    """The plan without what comes after the ranking. Copies of a text are judged each, unless it groups them.

    >>> ranking_plan("best").base, ranking_plan("best").answer
    ('best', None)
    """
    options = {"base": plan} if isinstance(plan, str) else dict(plan or {})
    try:
        return msgspec.convert({"group": None} | options | {"compress": None, "answer": None}, PlanOptions)
    except msgspec.ValidationError as error:
        raise InvalidPlan(f"{error}.") from error


@asynccontextmanager
async def engine_over(
    home: Path, *, profile: str, models: Path | None = None, device: str = "auto", timeout_s: float = 3600.0
) -> AsyncIterator[QueryEngine]:
    """The engine over a data directory; `models` is another whose converted models are used."""
    if models is not None:
        _share_models(home, models)
    settings = Settings.from_env(
        data_dir=home,
        database_url="",
        redis_url="",
        profile=profile,
        device=device,
        query_timeout_s=timeout_s,
    )
    async with open_engine(settings) as engine:
        yield engine


def _share_models(home: Path, models: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to((models / "models").resolve(), target_is_directory=True)


async def indexed(
    engine: QueryEngine,
    sets: Sequence[DataSet],
    settings: CollectionSettings,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """The name of a collection with the documents of all sets; those that it lacks are added."""
    name = collection_name([data.name for data in sets], settings)
    try:
        entry = await engine.library.get(name)
    except UnknownCollection:
        entry = await engine.library.create(name, settings)
    documents: dict[str, Document] = {one.id: one for data in sets for one in data.documents}

    def fill() -> None:
        collection = engine.library.open(entry)
        there = collection.contains(documents)
        missing = [document for identity, document in documents.items() if identity not in there]
        if missing:
            collection.add(missing, progress=progress)

    await engine.library.run(fill)
    return name


def collection_name(sets: Sequence[str], settings: CollectionSettings) -> str:
    """What a union of sets is called, by all that decides its index.

    >>> collection_name(["nq", "squad2-dev"], CollectionSettings(ngrams=False))
    'nq.squad2-dev-200'
    """
    name = re.sub(r"[^A-Za-z0-9._-]", "_", ".".join(sets))
    return f"{name[:100]}-{settings.passage_tokens}" + ("-ngrams" if settings.ngrams else "")
