"""`excerpta compact`: a collection in as few segments as it may have, without its deleted documents."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from api.commands.on_data import add_data, run_on_data
from api.settings import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Compacts a collection; returns the exit status."""
    options = _parser().parse_args(argv)
    from api.archive.compaction import compact_collection

    def work(settings: Settings) -> str:
        done = compact_collection(settings, options.collection)
        (segments, left), (passages, live) = done.segments, done.passages
        return (
            f"{options.collection}@{done.version}: {segments} segments became {left}, "
            f"{passages - live:,} deleted passages are gone, {live:,} are left"
        )

    return run_on_data(options, work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta compact",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Merges the segments of a collection and drops deleted documents from disk.

A running service merges in the background, a little at a time (EXCERPTA_MERGE_SHARE). This command does
all of it at once: after many deletions, or before an export. Each query then reads fewer segments.

It works on the data directory, next to a running service, which continues to answer and to index. No
model is loaded. While a segment is written, the disk holds it beside those that it replaces.""",
        epilog="""\
examples:
  excerpta compact handbook                     the service's data is in ./data
  excerpta compact handbook --data /srv/x       it is elsewhere""",
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the name of the collection")
    add_data(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
