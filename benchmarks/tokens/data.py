"""Data of the token benchmark: vectors in files, exact answers, and judgments if there are any."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from excerpta.types.retrieve import Tokens
from rich.progress import Progress

from benchmarks.tokens import synthetic
from evaluation.beir import DataSet, load
from models import Models, load_profile
from retrieval import IndexSettings
from retrieval.retrievers import IndexTools
from retrieval.segments import encode
from retrieval.tokens import TokenEncoder

DEPTH = 100
_BLOCK = 2_000


@dataclass(frozen=True, slots=True)
class TokenData:
    """One set in `directory`; `exact` (queries, DEPTH) holds each query's best passages by exact MaxSim."""

    name: str
    directory: Path
    exact: npt.NDArray[np.int64]
    documents: list[str] = field(default_factory=list)
    """The document of each passage; empty for synthetic sets."""
    sets: list[DataSet] = field(default_factory=list)
    """Queries in the order of their vectors, set after set."""


def prepare(options: argparse.Namespace, work: Path) -> Iterator[TokenData]:
    """The sets that the options ask for, each written once to a directory of its own under `work`."""
    if options.data:
        yield _encoded(options, work)
        return
    queries = options.queries or 100
    for passages in (int(size) for size in options.passages.split(",")):
        name = f"synthetic-{passages}"
        directory = work / f"{name}-{queries}-{options.dim}-{options.seed}"
        with _fresh(directory) as room:
            if room:
                synthetic.write(room, passages, queries=queries, dim=options.dim, seed=options.seed)
                np.save(room / "exact.npy", exact(room))
        yield TokenData(name, directory, np.load(directory / "exact.npy"))


def exact(directory: Path, depth: int = DEPTH) -> npt.NDArray[np.int64]:
    """Best passages (queries, depth) by exact MaxSim, equals by number; -1 where there are fewer."""
    tokens = np.load(directory / "tokens.npy", mmap_mode="r")
    lengths = np.load(directory / "lengths.npy")
    queries = np.load(directory / "queries.npy")
    starts = np.cumsum(np.load(directory / "query_lengths.npy"))[:-1]
    scores = np.empty((len(starts) + 1, len(lengths)), np.float32)
    ends = np.cumsum(lengths)
    for first in range(0, len(lengths), _BLOCK):
        last = min(first + _BLOCK, len(lengths))
        base = ends[first] - lengths[first]
        block = np.asarray(tokens[base : ends[last - 1]])
        places = ends[first:last] - lengths[first:last] - base
        # A query at a time: the similarities of all would not fit.
        for number, query in enumerate(np.split(queries, starts)):
            best = np.maximum.reduceat(block @ query.T, places, axis=0)
            scores[number, first:last] = best.mean(axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    found = np.full((len(scores), depth), -1, np.int64)
    found[:, : order.shape[1]] = order
    return found


def _encoded(options: argparse.Namespace, work: Path) -> TokenData:
    """The union of BEIR sets, encoded by the profile's own token encoder."""
    sets = [load(path, options.split, sample=options.queries, seed=options.seed) for path in options.data]
    name = "+".join(data.name for data in sets)
    encoder = TokenEncoder(Models(load_profile(options.profile), options.models or work / "models").encoder)
    asked = [query for data in sets for query in data.queries]
    documents = sum(len(data.documents) for data in sets)
    key = repr((encoder.fingerprint, options.passage_tokens, documents, asked))
    directory = work / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    with _fresh(directory) as room:
        if room:
            _write(room, sets, encoder, options.passage_tokens)
            np.save(room / "exact.npy", exact(room))
    return TokenData(
        name,
        directory,
        np.load(directory / "exact.npy"),
        json.loads((directory / "ids.json").read_text()),
        sets,
    )


def _write(directory: Path, sets: list[DataSet], encoder: TokenEncoder, passage_tokens: int) -> None:
    settings = IndexSettings(passage_tokens=passage_tokens, ngrams=False)
    documents = {document.id: document for data in sets for document in data.documents}
    with TemporaryDirectory(dir=directory) as room, _progress("encoding", len(documents)) as progress:
        encoded = encode(
            list(documents.values()), IndexTools(settings, encoder), room=Path(room), progress=progress
        )
        vectors = [row.vectors for row in encoded.batch.rows[Tokens.name()]]
        names = [passage.document_id for passages in encoded.passages for passage in passages]
        # A passage without tokens is never found, by any engine.
        kept = [number for number, one in enumerate(vectors) if len(one)]
        _save(directory, "", "tokens", [vectors[number] for number in kept])
        (directory / "ids.json").write_text(json.dumps([names[number] for number in kept]))
        del encoded, vectors
    texts = [text for data in sets for text in data.queries.values()]
    queries = [encoder.encode_queries([text])[0].vectors for text in texts]
    _save(directory, "query_", "queries", queries)


def _save(directory: Path, prefix: str, name: str, parts: list[npt.NDArray[np.float32]]) -> None:
    lengths = np.array([len(part) for part in parts], np.int64)
    rows = np.lib.format.open_memmap(
        directory / f"{name}.npy", "w+", np.float32, (int(lengths.sum()), parts[0].shape[1])
    )
    for part, end in zip(parts, np.cumsum(lengths), strict=True):
        rows[end - len(part) : end] = part
    rows.flush()
    np.save(directory / f"{prefix}lengths.npy", lengths)


@contextmanager
def _fresh(directory: Path) -> Iterator[Path | None]:
    """A directory to fill that gets its name when it is full; None if an earlier run filled it."""
    if directory.exists():
        yield None
        return
    with TemporaryDirectory(dir=directory.parent, prefix="filling-") as room:
        filled = Path(room) / "set"
        filled.mkdir()
        yield filled
        filled.rename(directory)


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int, int], None]]:
    with Progress() as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, _: bar.update(task, completed=done)
