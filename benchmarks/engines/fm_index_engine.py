"""fm-index over token ids as characters: building, counting and locating n-grams.

Reads {"ids": FILE.npy, "patterns": {length: n-grams}} and writes the counts and the measured times.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import numpy as np
from fm_index import FMIndex
from measure import cpu_seconds

_SURROGATES, _AFTER = 0xD800, 0x800
_MOST_LOCATED = 1500


def as_text(ids: Sequence[int]) -> str:
    """A character for each id. No id becomes NUL or a surrogate."""
    codes = np.asarray(ids, np.uint32) + 1
    codes[codes >= _SURROGATES] += _AFTER
    return codes.tobytes().decode("utf-32-le")


def main() -> None:
    """Measures everything that was asked for."""
    asked = json.loads(sys.stdin.read())
    text = as_text(np.load(asked["ids"]))
    cpu, wall = cpu_seconds(), time.perf_counter()
    index = FMIndex(text)
    measured = {"build_cpu_s": cpu_seconds() - cpu, "build_s": time.perf_counter() - wall}
    counts: dict[str, list[int]] = {}
    located, seconds = 0, 0.0
    for length, ngrams in asked["patterns"].items():
        patterns = [as_text(ids) for ids in ngrams]
        began = time.process_time()
        counts[length] = [index.count(pattern) for pattern in patterns]
        measured[f"find_us_{length}"] = (time.process_time() - began) / max(1, len(patterns)) * 1e6
        pairs = zip(patterns, counts[length], strict=True)
        rare = [pattern for pattern, count in pairs if count <= _MOST_LOCATED]
        began = time.process_time()
        located += sum(len(list(index.locate(pattern))) for pattern in rare)
        seconds += time.process_time() - began
    measured["locate_us"] = seconds / max(1, located) * 1e6
    sys.stdout.write(json.dumps({"counts": counts, "measured": measured}))


if __name__ == "__main__":
    main()
