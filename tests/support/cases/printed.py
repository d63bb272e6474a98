"""PDFs: what is drawn on a page, in the order of reading."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter

from tests.support.cases.case import Case
from tests.support.cases.locked import AES_256
from tests.support.file_makers import pdf


def _drawn(*lines: tuple[float, float, str] | tuple[float, float, str, float]) -> bytes:
    shown = (
        f"/F {line[3] if len(line) > 3 else 12} Tf 1 0 0 1 {line[0]} {line[1]} Tm ({line[2]}) Tj"
        for line in lines
    )
    return f"BT {' '.join(shown)} ET".encode("cp1252")


def _locked(data: bytes, algorithm: str) -> bytes:
    """Under an owner's password alone: anyone may read."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt("", owner_password="owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


_LEFT = ("The left column tells of the valve", "that leaks in winter and must be re-", "placed by a plumber.")
_RIGHT = (
    "The right column is about the rent",
    "that is due within thirty days and",
    "is paid to the office.",
)
_COLUMNS = _drawn(
    *((50, 700 - 15 * at, line, 10) for at, line in enumerate(_LEFT)),
    *((320, 700 - 15 * at, line, 10) for at, line in enumerate(_RIGHT)),
)
_RUNNING = [
    _drawn((50, 780, "Annual report of the aquarium"), (50, 700, text), (280, 20, f"Page {at}"))
    for at, text in enumerate(
        (
            "Visitors came from abroad.",
            "The octopus escaped twice.",
            "Herring feed at dawn.",
            "Turtles moved to the lagoon.",
        ),
        1,
    )
]

FILES: dict[str, bytes] = {
    "pdf/aes256.pdf": AES_256,
    "pdf/rc4-40.pdf": _locked(pdf("The cable car stops in high wind."), "RC4-40"),
    "pdf/rc4.pdf": _locked(pdf("Sledges are rented at the valley station."), "RC4-128"),
    "pdf/columns.pdf": pdf(_COLUMNS),
    "pdf/running.pdf": pdf(*_RUNNING),
    "pdf/partly.pdf": pdf("The vineyard is harvested by hand.", "", ""),
    "pdf/table.pdf": pdf(
        _drawn(
            *((50 + 100 * at, 700, name) for at, name in enumerate(("Quay", "Q1", "Q2", "Q3"))),
            (50, 680, "Skagen"),
            (250, 680, "5"),
            *((50 + 100 * at, 660, cell) for at, cell in enumerate(("Hirtshals", "7", "8", "9"))),
        )
    ),
    "pdf/power.pdf": pdf(
        _drawn((50, 700, "The reactor makes 3 x 10"), (183, 705, "6", 7), (190, 700, "watts."))
    ),
    "pdf/hyphens.pdf": pdf(
        "The conservatory needs a new venti-\nlation shaft before the winter sea-\nson begins."
    ),
}

CASES: tuple[Case, ...] = (
    Case("Who approves trips above 2000 euros?", "pdf/aes256.pdf", ("head of finance",)),
    Case("When does the cable car stop?", "pdf/rc4-40.pdf", ("high wind",)),
    Case("Where are sledges rented?", "pdf/rc4.pdf", ("valley station",)),
    Case(
        "Who replaces the valve?",
        "pdf/columns.pdf",
        ("must be replaced by a plumber", "due within thirty days and"),
        ("re-", "valve The right"),
    ),
    Case("What did the octopus do?", "pdf/running.pdf", ("The octopus escaped twice.",), ("Page 2",)),
    Case("How is the vineyard harvested?", "pdf/partly.pdf", ("by hand",)),
    Case("Quay Skagen", "pdf/table.pdf", ("Quay: Skagen; Q2: 5",), ("Q1: 5",)),
    Case("How many watts does the reactor make?", "pdf/power.pdf", ("10^6",), ("106",)),
    Case(
        "new shaft of the conservatory",
        "pdf/hyphens.pdf",
        ("ventilation shaft", "season begins"),
        ("venti-",),
    ),
)

# The page that a citation of a file's text names.
PAGES = {
    "pdf/partly.pdf": ("How is the vineyard harvested?", 1),
}
