"""Ranking quality of each stage: nDCG@10, recall@100, MRR@10 and hits, by `ir-measures`.

A document's score is its best passage's. Model time and retrieval time are not measured here.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ir_measures
from ir_measures import RR, R, Success, nDCG
from rich.progress import Progress

from api.query.plan import STAGES
from base.methods import AUTO
from benchmarks.report import Report
from evaluation.beir import DataSet, load
from models import Models, load_profile
from rerank import CATALOGUE, Texts
from retrieval import Collection, IndexSettings, Selection, Snapshot
from retrieval.ngrams import LanguageVocabulary
from retrieval.segments import indexed_text
from retrieval.tokens import TokenEncoder, TokenOptions
from retrieval.types import Document, Hits

CASES = ("lexical", "tokens", "ngrams", "fused", "reranked")
OTHERS = ("exact", "unrefined")
MEASURES = {
    "ndcg@10": nDCG @ 10,
    "recall@100": R @ 100,
    "mrr@10": RR @ 10,
    "hits@1": Success @ 1,
    "hits@5": Success @ 5,
    "hits@20": Success @ 20,
}


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Options of the index: its directory, models and passage size."""
    parser.add_argument("--index", type=Path, help="keep the index here and use it again; default: temporary")
    parser.add_argument(
        "--models", type=Path, help="where converted models are kept; default: with the index"
    )
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--passage-tokens", type=int, default=200)
    parser.add_argument("--depth", type=int, default=200, help="passages taken from each retriever")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    add_index_options(parser)
    parser.add_argument(
        "--refine", type=int, help="exact MaxSim over the best N of the tokens case; default: by size"
    )
    parser.add_argument(
        "--k-tokens", type=int, help="tokens retrieved for each query token; default: by size"
    )
    parser.add_argument("--rerank", type=int, default=10, help="passages that are reranked")


@dataclass(slots=True)
class Stages:
    """The stages over one snapshot; each case is a function of the query."""

    snapshot: Snapshot
    encoder: TokenEncoder
    models: Models
    options: argparse.Namespace
    everything: Selection

    def lexical(self, query: str) -> Hits:
        """BM25."""
        return self.snapshot.lexical(query, limit=self.options.depth, selection=self.everything)

    def tokens(self, query: str) -> Hits:
        """XTR, refined."""
        return self._tokens(
            query,
            TokenOptions(
                limit=self.options.depth, k_tokens=self.options.k_tokens, refine=self.options.refine
            ),
        )

    def _tokens(self, query: str, options: TokenOptions) -> Hits:
        vectors = self.encoder.encode_queries([query])[0].vectors
        return self.snapshot.tokens(vectors, options, selection=self.everything)

    def exact(self, query: str) -> Hits:
        """MaxSim over every passage."""
        return self._tokens(query, TokenOptions(limit=self.options.depth, exact_up_to=1 << 62))

    def unrefined(self, query: str) -> Hits:
        """XTR alone."""
        return self._tokens(
            query, TokenOptions(limit=self.options.depth, k_tokens=self.options.k_tokens, refine=0)
        )

    def ngrams(self, query: str) -> Hits:
        """SEAL with the query's own n-grams."""
        return self.snapshot.ngrams(
            self.models.lm,
            query,
            limit=self.options.depth,
            beams=10,
            length=8,
            query_keys=True,
            selection=self.everything,
        ).hits

    def fused(self, query: str) -> Hits:
        """Tokens and lexical together, as the default plan fuses them."""
        lists = {"tokens": self.tokens(query), "lexical": self.lexical(query)}
        plan = STAGES["fuse"]
        vectors = self.encoder.encode_queries([query])[0].vectors
        _, hits = self.snapshot.fused(lists, query=query, vectors=vectors, **plan)
        return hits

    def reranked(self, query: str) -> Hits:
        """The fused list, its head reordered by the query's likelihood."""
        hits = self.fused(query)
        head = hits.numbers[: self.options.rerank]
        texts = [indexed_text(self.snapshot.passage(int(number)))[0] for number in head]
        options = CATALOGUE.resolve({"limit": self.options.rerank})
        order = CATALOGUE[AUTO].make(self.models).rank(query, Texts(texts), options).order
        numbers = hits.numbers.copy()
        numbers[: len(head)] = head[order]
        return Hits(numbers, hits.scores)


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the union of the sets, then runs every case on every set."""
    sets = [load(path, options.split, sample=options.queries, seed=options.seed) for path in options.data]
    cases = options.cases.split(",") if options.cases else list(CASES)
    unknown = set(cases) - {*CASES, *OTHERS}
    if unknown:
        known = ", ".join((*CASES, *OTHERS))
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {known}")
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        home = options.index or Path(temporary)
        models = Models(load_profile(options.profile), options.models or home / "models")
        encoder = TokenEncoder(models.encoder)
        collection = indexed(home, sets, encoder, models, options, ngrams="ngrams" in cases)
        with collection.snapshot() as snapshot:
            stages = Stages(snapshot, encoder, models, options, snapshot.allowed(None))
            for data in sets:
                for case in cases:
                    _measure(data, case, snapshot, getattr(stages, case), report)


def indexed(
    home: Path,
    sets: list[DataSet],
    encoder: TokenEncoder,
    models: Models,
    options: argparse.Namespace,
    *,
    ngrams: bool = False,
) -> Collection:
    """The sets' documents as one collection under `home`, made if it is not there yet."""
    settings = IndexSettings(passage_tokens=options.passage_tokens, ngrams=ngrams)
    name = "+".join(data.name for data in sets) + f"-{options.passage_tokens}" + ("-ngrams" if ngrams else "")
    path = home / "collections" / name
    vocabulary = LanguageVocabulary(models.lm) if ngrams else None
    if path.exists():
        return Collection.open(path, encoder=encoder, vocabulary=vocabulary)
    documents: dict[str, Document] = {document.id: document for data in sets for document in data.documents}
    collection = Collection.create(path, encoder=encoder, vocabulary=vocabulary, settings=settings)
    with Progress() as progress:
        task = progress.add_task("indexing", total=len(documents))
        collection.add(
            list(documents.values()),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    return collection


def _measure(
    data: DataSet, case: str, snapshot: Snapshot, search: Callable[[str], Hits], report: Report
) -> None:
    found: dict[str, dict[str, float]] = {}
    with Progress() as progress:
        for query, text in progress.track(data.queries.items(), description=f"{data.name} {case}"):
            best: dict[str, float] = {}
            hits = search(text)
            for rank, number in enumerate(hits.numbers):
                best.setdefault(snapshot.passage(int(number)).document_id, 1.0 / (rank + 1))
            found[query] = best
    scores = ir_measures.calc_aggregate(MEASURES.values(), data.qrels, found)
    for metric, measure in MEASURES.items():
        report.add(data.name, case, metric, scores[measure])
    report.add(data.name, case, "queries", len(data.queries), "queries")
