"""The measurements of a calibration: prompts read in sequence once, and side by side many times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pydoc_data.topics import topics

import numpy as np
from excerpta.types.reading import Ape, Sequential

from context.defaults import Calibration, Measured, choose
from context.engine import ContextEngine
from context.prompts.prompt import ContextPassage
from context.writing.generation import Generation, ReadPrompt
from context.writing.likelihood import answer_log_likelihoods
from context.writing.transcript import Writing

_WRITING = Writing(max_tokens=16, no_repeat_ngram=0)
_PASSAGE_CHARACTERS = 700
_STEPS = 3 * 7 + 2
"""Passes over the prompts: sequential and plain once, seven for each scale."""


@dataclass(frozen=True, slots=True)
class CalibrationPrompt:
    """A question with its passages. The right answer is not needed."""

    question: str
    passages: tuple[ContextPassage, ...]


def reference_prompts(count: int, passages: int, *, seed: int = 0) -> list[CalibrationPrompt]:
    """Prompts over topics of Python's language reference, which is part of every Python installation."""
    draw = np.random.default_rng(seed)
    names = sorted(name for name, text in topics.items() if len(text) >= _PASSAGE_CHARACTERS)
    prompts = []
    for _ in range(count):
        chosen = [names[at] for at in draw.choice(len(names), passages, replace=False)]
        texts = [topics[name] for name in chosen]
        titles = [" ".join(text.split("\n", 1)[0].split()) for text in texts]
        prompts.append(
            CalibrationPrompt(
                f"What does the reference say about {titles[int(draw.integers(passages))].lower()}?",
                tuple(
                    ContextPassage(title, text[:_PASSAGE_CHARACTERS])
                    for title, text in zip(titles, texts, strict=True)
                ),
            )
        )
    return prompts


def calibrate(
    engine: ContextEngine,
    prompts: Sequence[CalibrationPrompt],
    *,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Calibration:
    """Chooses T and S for the engine's model; its store should have room for all passages.

    `progress` is called with the name of the step, the readings done and their total.
    """
    done = 0

    def tick(what: str) -> None:
        nonlocal done
        done += 1
        progress(what, done, _STEPS * len(prompts))

    answers: list[list[int]] = []
    in_sequence: list[Measured] = []
    for prompt in prompts:
        run = engine.start(
            prompt.question,
            prompt.passages,
            Sequential(),
            writing=_WRITING,
            statistics=True,
        )
        entropy = run.notes.entropy or 0.0
        answers.append(_written(engine, read := run.hand_over()[0]))
        in_sequence.append(Measured(entropy, _nll(engine, read, answers[-1])))
        tick("reading in sequence")

    def measure(temperature: float, scale: float) -> Measured:
        found: list[Measured] = []
        for prompt, answer in zip(prompts, answers, strict=True):
            run = engine.start(
                prompt.question,
                prompt.passages,
                Ape(temperature=temperature, scale=scale),
                writing=_WRITING,
                statistics=True,
            )
            entropy = run.notes.entropy or 0.0
            found.append(Measured(entropy, _nll(engine, run.hand_over()[0], answer)))
            tick(f"T {temperature:.2f}, S {scale:.2f}")
        return _mean(found)

    sequential, plain = _mean(in_sequence), measure(1.0, 1.0)
    temperature, scale, chosen = choose(measure, sequential.entropy)
    return Calibration(
        fingerprint=engine.lm.fingerprint,
        temperature=temperature,
        scale=scale,
        prompts=len(prompts),
        entropy=chosen.entropy,
        plain_entropy=plain.entropy,
        sequential_entropy=sequential.entropy,
        nll=chosen.nll,
        plain_nll=plain.nll,
        sequential_nll=sequential.nll,
    )


def _written(engine: ContextEngine, prompt: ReadPrompt) -> list[int]:
    """The answer that the model would write; the prompt stays as it was."""
    before = prompt.cache.get_seq_length()
    run = Generation(engine.lm, prompt, _WRITING)
    while run.step() is not None:
        pass
    if (grown := prompt.cache.get_seq_length() - before) > 0:
        prompt.cache.crop(-grown)
    return run.ids


def _nll(engine: ContextEngine, prompt: ReadPrompt, answer: Sequence[int]) -> float:
    log_p = answer_log_likelihoods(engine.lm, prompt, answer)
    return -sum(log_p) / max(1, len(log_p))


def _mean(found: Sequence[Measured]) -> Measured:
    count = len(found)
    return Measured(sum(one.entropy for one in found) / count, sum(one.nll for one in found) / count)
