"""`excerpta calibrate`: the temperature and scale of a profile's language model, found without labels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.commands.on_data import positive
from api.settings import Settings
from base.errors import ExcerptaError
from context import Calibration, ContextEngine, PrefixStore, calibrate, reference_prompts
from models import Models, load_profile
from models.device import use_available_cores

_STORE_BYTES = 4 << 30


def main(argv: Sequence[str] | None = None) -> int:
    """Measures T and S, prints them and stores them; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        use_available_cores()
        cache = Settings.from_env(data_dir=options.data).cache
        models = Models(load_profile(options.profile), options.data, cache=cache, device=options.device)
        with Console(stderr=True).status("loading the language model"):
            lm = models.lm
        store = PrefixStore(_STORE_BYTES)
        try:
            found = _with_bar(ContextEngine(lm, store), options)
        finally:
            store.close()
        file = found.save(options.out or models.calibrations)
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    console = Console()
    console.print(_table(found))
    console.print(f"T {found.temperature}, S {found.scale}: written to {file}", soft_wrap=True)
    return 0


def _with_bar(engine: ContextEngine, options: argparse.Namespace) -> Calibration:
    prompts = reference_prompts(options.prompts, options.passages, seed=options.seed)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("readings"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("calibrating", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        return calibrate(engine, prompts, progress=show)


def _table(found: Calibration) -> Table:
    table = Table("passages read", "attention entropy", "nats a token of the answer", title=found.fingerprint)
    table.add_row("in sequence", f"{found.sequential_entropy:.3f}", f"{found.sequential_nll:.3f}")
    table.add_row("in parallel, T = S = 1", f"{found.plain_entropy:.3f}", f"{found.plain_nll:.3f}")
    table.add_row("in parallel, calibrated", f"{found.entropy:.3f}", f"{found.nll:.3f}")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta calibrate",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Finds the temperature T and the scale S with which a language model reads passages in parallel.

Passages come out of a store where each was encoded alone, so the model never saw one beside another.
Over many of them its attention spreads too widely; T below 1 sharpens it, and S sets how much the
passages weigh against the question. How much is needed differs from model to model: the published 0.9
and 0.9 are for 7 billion parameters and more, and small models need less.

This command needs no labels. It reads some prompts in sequence, once, and notes how wide the attention
is and what the model answers. Then it looks for the T with which reading in parallel is as wide, for
three values of S, and keeps the pair after which those answers are likeliest.""",
        epilog="""\
examples:
  excerpta calibrate small                     the default profile, kept under ./data
  excerpta calibrate ./my.toml --data /srv/x   your own profile, for the service over /srv/x

The service over the same data directory takes the result at its next start. A plan that sets the
`temperature` or the `scale` of its `context.reading` goes before it.""",
    )
    parser.add_argument(
        "profile", metavar="MODEL", help="the profile whose language model it is: a name, or a .toml file"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="the service's data directory (%(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the file elsewhere")
    parser.add_argument(
        "--prompts", type=positive, default=8, help="how many are read; more take longer (%(default)s)"
    )
    parser.add_argument("--passages", type=positive, default=6, help="in each prompt (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which prompts (%(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
