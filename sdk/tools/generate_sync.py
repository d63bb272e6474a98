"""Writes `excerpta/_sync` from `excerpta/_async`, so that both clients are one source.

python sdk/tools/generate_sync.py           write
python sdk/tools/generate_sync.py --check   fail when what is there is stale
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "excerpta"
HEADER = "# Written by sdk/tools/generate_sync.py from {source}; change that file instead.\n\n"
WORDS = [
    (r"\basync def\b", "def"),
    (r"\basync with\b", "with"),
    (r"\basync for\b", "for"),
    (r"\bawait ", ""),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\b__aiter__\b", "__iter__"),
    (r"\baclose\b", "close"),
    (r"\baread\b", "read"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\basync_sleep\b", "sleep"),
    (r"\basync_in_thread\b", "in_thread"),
    (r"\basync_transport\b", "transport"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsyncBaseTransport\b", "BaseTransport"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"  # noqa: ASYNC109", ""),
]


def to_sync(source: str) -> str:
    """The sync twin of an async module's source."""
    for pattern, replacement in WORDS:
        source = re.sub(pattern, replacement, source)
    return source


def render() -> dict[Path, str]:
    """Each generated file and what it must hold."""
    return {
        PACKAGE / "_sync" / path.name: HEADER.format(source=f"_async/{path.name}")
        + to_sync(path.read_text("utf-8"))
        for path in sorted((PACKAGE / "_async").glob("*.py"))
    }


def main() -> int:
    """Writes or checks the generated files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is stale")
    check = parser.parse_args().check
    wanted = render()
    there = {path: path.read_text("utf-8") for path in (PACKAGE / "_sync").glob("*.py")}
    stale = sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
    for path in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {path.relative_to(PACKAGE)}\n")
        if not check:
            path.write_text(wanted[path], "utf-8") if path in wanted else path.unlink()
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
