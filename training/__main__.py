"""`python -m training RECIPE`: trains one of the networks that the project ships."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from base.errors import ExcerptaError

RECIPES = {
    "tokens": "low-rank changes and a projection for the token encoder: short vectors that rank well",
    "keep": "low-rank changes and a head for the encoder: which words a shortened text keeps",
    "ngrams": "low-rank changes for the language model: it writes n-grams of passages that answer",
    "first": "low-rank changes for the language model: it names the best passage of a list by a letter",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one recipe; returns the exit status."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    options = _parser().parse_args(argv)
    try:
        importlib.import_module(f"training.recipes.{options.recipe}.command").run(options)
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Trains what the project ships under models/weights/: small adapters and heads for a profile's networks,
which stay as they are. Weights, configuration and a card with data, recipe, command, seed and loss curve
are written to --out. The same seed, data and number of threads give the same weights.""",
        epilog="""\
examples:
  python -m training tokens --data DATA/scifact:train --out WEIGHTS/tokens-minilm
  python -m training keep --data DATA/sentcomp --out WEIGHTS/compress-minilm
  python -m training first --data DATA/nq:train_half --held DATA/nq:eval_half --out WEIGHTS/first-smollm2
  python -m training ngrams --data DATA/nq:train_half --held DATA/nq:eval_half --out WEIGHTS/ngrams-smollm2
  python -m training keep --data DATA/sentcomp --out WEIGHTS/compress-minilm --resume   after an interruption

`python -m training RECIPE --help` lists the options of a recipe. Training needs the extra `train`.""",
    )
    recipes = parser.add_subparsers(dest="recipe", required=True, metavar="RECIPE")
    for name, summary in RECIPES.items():
        module = importlib.import_module(f"training.recipes.{name}.command")
        recipe = recipes.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_options(recipe)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
