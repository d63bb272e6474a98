"""Follow-ups of conversations: whether the passage that answers is found when the question leaves words out.

Conversations are made of the sets' own questions (`evaluation.conversations`), so each follow-up has the
question that it stands for. Cases: `alone` asks that question; `as-asked` the follow-up as it is; `joined`
puts the question before in front of it; others are methods of rewriting. `kept` is hits@5 as a share of
`alone`'s.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
from excerpta.types import CollectionSettings, PlanOptions, SearchRequest

from api.query.engine import QueryEngine
from base.methods import AUTO
from benchmarks.report import Report
from context import REWRITERS, Turn
from evaluation.beir import load
from evaluation.conversations import KINDS, Conversation, make, write
from evaluation.searches import engine_over, indexed

_FIRST = 5
_ALONE, _AS_ASKED, _JOINED = "alone", "as-asked", "joined"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument(
        "--index", type=Path, help="a data directory that keeps the index; default: temporary"
    )
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the conversations, one a line")
    parser.add_argument("--rerank", action="store_true", help="rerank as the default plan does")
    parser.add_argument("--show", action="store_true", help="print each question that was searched")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds the share of follow-ups whose passage is in the first five, by case and kind."""
    asyncio.run(_run(options, report))


async def _run(options: argparse.Namespace, report: Report) -> None:
    conversations = make(options.data, options.queries or 60, split=options.split, seed=options.seed)
    if options.out:
        write(conversations, options.out)
    cases = options.cases.split(",") if options.cases else [_ALONE, _AS_ASKED, _JOINED, *REWRITERS]
    sets = [load(folder, options.split) for folder in options.data]
    name = "+".join(folder.name for folder in options.data)
    place = nullcontext(options.index) if options.index else tempfile.TemporaryDirectory()
    with place as home:
        async with engine_over(Path(home), profile=options.profile, device="cpu") as engine:
            collection = await indexed(engine, sets, CollectionSettings(ngrams=False))
            found = {
                case: [await _found(engine, collection, case, one, options) for one in conversations]
                for case in cases
            }
    for case, hits in found.items():
        report.add(name, case, "hits@5", sum(hits) / len(hits))
        if _ALONE in found:
            report.add(name, case, "kept", sum(hits) / max(1, sum(found[_ALONE])))
        for kind in KINDS:
            of_kind = [hit for hit, one in zip(hits, conversations, strict=True) if one.kind == kind]
            report.add(name, case, kind, sum(of_kind) / max(1, len(of_kind)))


async def _found(
    engine: QueryEngine, collection: str, case: str, one: Conversation, options: argparse.Namespace
) -> bool:
    """Whether the passage that answers is among the first five."""
    rewrite = {"method": case} if case in REWRITERS or case == AUTO else None
    plan: dict[str, Any] = {"rewrite": rewrite, "compress": None, "answer": None}
    if not options.rerank:
        plan["rerank"] = None
    before = [text for speaker, text in one.turns if speaker == "user"][-1]
    asked = {_ALONE: one.alone, _JOINED: f"{before}\n{one.follow_up}"}.get(case, one.follow_up)
    request = SearchRequest(
        collection=collection, query=asked, limit=_FIRST, plan=msgspec.convert(plan, PlanOptions)
    )
    turns = [Turn("user" if speaker == "user" else "assistant", text) for speaker, text in one.turns]
    running = await engine.start(request, conversation=turns if rewrite else [])
    reply = await running.whole(explain=False)
    hit = any(found.document_id in one.relevant for found in reply.hits)
    if options.show:
        print(
            f"{case:10} {one.kind:8} {'yes' if hit else 'no ':3} {reply.query}  <=  {one.alone}", flush=True
        )
    return hit
