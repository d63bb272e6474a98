"""The published LLMLingua-2 package with this project's classifier, beside this project's own code.

Both read the same chunks, short enough for one window. `rule_agreement` is the share of the package's words
that our probabilities and our threshold rule decide alike. `agreement` is that of `shorten`, which keeps the
package's share of the tokens of each chunk: its own words, its budget and its cuts count too.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray
from transformers import BertForTokenClassification, PreTrainedTokenizerFast

from base.text.words import Spans
from benchmarks.report import Report
from compress import CATALOGUE, AnyScorer, Loose, shorten
from compress.base import CountTokens
from compress.percentile import percentile_of, percentile_rank
from compress.pooling import word_probabilities
from models import Models

NAME = "llmlingua"
ROOT = Path(__file__).parents[2]
METHOD = {"method": "token-classifier", "keep": [], "digits": False, "structure": "words"}
LONGEST = 200
"""Tokens of a chunk: below the classifier's window, so that both read it in one piece."""

_FOLDER = "bert-base-multilingual-cased"
"""The package knows how a tokenizer marks words by this part of the model's path."""


@dataclass(frozen=True, slots=True)
class _Ours:
    scorer: AnyScorer
    options: CompressMethod
    count: CountTokens


def measure(
    data: str,
    texts: Sequence[str],
    rates: Sequence[float],
    models: Models,
    peers: Path,
    room: Path,
    out: Report,
) -> None:
    """Adds both agreements and both speeds at each rate; a note where the package cannot run."""
    case = f"{NAME}@{rates[0]:g}"
    python = peers / NAME / "bin" / "python"
    if not python.exists():
        out.note(data, case, "not installed: run make peers")
        return
    chunks = chunks_of(texts, models)
    asked = {"model": str(export(models, room)), "texts": chunks, "rates": list(rates), "threads": 1}
    found = _run(python, asked)
    if isinstance(found, str):
        out.note(data, case, found)
        return
    torch.set_num_threads(1)
    tokenizer = models.token_classifier._frame.tokenizer
    ours = _Ours(
        CATALOGUE[str(METHOD["method"])].make(models),
        CATALOGUE.resolve(METHOD),
        lambda given: [len(one) for one in tokenizer.tokenize(given)],
    )
    total = sum(ours.count(chunks))
    for rate in rates:
        case, peer = f"{NAME}@{rate:g}", found[str(rate)]
        rule, agreement, cpu_s = _compare(chunks, peer["words"], rate, models, ours)
        out.add(data, case, "rule_agreement", rule)
        out.add(data, case, "agreement", agreement)
        out.add(data, case, "tokens_per_cpu_s", total / peer["cpu_s"], "tokens/s")
        out.add(data, f"excerpta@{rate:g}", "tokens_per_cpu_s", total / cpu_s, "tokens/s")


def chunks_of(texts: Sequence[str], models: Models) -> list[str]:
    """The beginnings of the ASCII texts, of `LONGEST` tokens at most: their words are found by spelling."""
    chosen = [text for text in dict.fromkeys(texts) if text.isascii() and text.strip()]
    read = models.token_classifier._frame.tokenizer.tokenize(chosen)
    return [
        text[: int(one.offsets[min(len(one), LONGEST) - 1, 1])]
        for text, one in zip(chosen, read, strict=True)
        if len(one)
    ]


def export(models: Models, room: Path) -> Path:
    """The profile's classifier as a checkpoint of one piece, as the package loads it."""
    classifier: Any = models.token_classifier
    network, frame = classifier._logits, classifier._frame
    config = network.encoder.config.__class__(**network.encoder.config.to_dict() | {"num_labels": 2})
    whole = BertForTokenClassification(config)
    weights = network.encoder.state_dict()
    whole.bert.load_state_dict({name: weights[name] for name in whole.bert.state_dict()})
    whole.classifier.load_state_dict(network.head.state_dict())
    folder = room / _FOLDER
    whole.float().save_pretrained(folder)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=frame.tokenizer._tokenizer, **special)
    tokenizer.save_pretrained(folder)
    return folder


def _run(python: Path, asked: dict[str, Any]) -> dict[str, Any] | str:
    ran = subprocess.run(
        [python, ROOT / "benchmarks" / "engines" / "llmlingua_engine.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if ran.returncode:
        return (ran.stderr.strip().splitlines() or ["it failed"])[-1]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _compare(
    chunks: Sequence[str],
    labelled: Sequence[Sequence[tuple[str, int]]],
    rate: float,
    models: Models,
    ours: _Ours,
) -> tuple[float, float, float]:
    """The agreement of the rule, that of `shorten`, and the CPU seconds of `shorten`."""
    read = models.token_classifier.keep_probabilities(chunks)
    alike_rule, alike, cpu_s, count = 0, 0, 0.0, 0
    for chunk, words, one in zip(chunks, labelled, read, strict=True):
        spans = places_of(chunk, [word for word, _ in words])
        wanted = np.array([label for _, label in words], dtype=bool)
        tokens = np.array(ours.count([chunk[start:end] for start, end in spans.tolist()]), np.int64)
        scores = word_probabilities(spans, one.offsets, one.probabilities)
        rule = percentile_rank(scores, tokens) > percentile_of(rate) / 100
        began = time.process_time()
        (short,) = shorten(
            ours.scorer,
            "",
            Loose([chunk]),
            ours.options,
            ours.count,
            target_tokens=int(tokens[wanted].sum()),
        )
        cpu_s += time.process_time() - began
        kept = np.array(
            [any(a <= start and end <= b for a, b in short.kept) for start, end in spans.tolist()]
        )
        alike_rule += int((rule == wanted).sum())
        alike += int((kept == wanted).sum())
        count += len(words)
    return alike_rule / max(count, 1), alike / max(count, 1), cpu_s


def places_of(text: str, words: Sequence[str]) -> Spans:
    """The characters (n, 2) of words that stand in `text` in this order, whatever their case.

    >>> places_of("Ada's Cat", ["ada", "'", "s", "cat"]).tolist()
    [[0, 3], [3, 4], [4, 5], [6, 9]]
    """
    lowered, at = text.lower(), 0
    spans: NDArray[np.int32] = np.zeros((len(words), 2), np.int32)
    for number, word in enumerate(words):
        start = lowered.index(word.lower(), at)
        at = start + len(word)
        spans[number] = start, at
    return spans
