"""A printed table: PDF with each cell at its column's place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_LEFT, _TOP, _LINE, _WIDTH, _ROWS = 50, 780, 16, 500, 44


def pdf(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The table over as many pages as it needs, its columns' names at the top of each."""
    pages = [_page(title, [columns, *rows[start : start + _ROWS]]) for start in range(0, len(rows), _ROWS)]
    numbers = range(4, 4 + 2 * len(pages), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in zip(numbers, pages, strict=True):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return b"".join(_file(objects))


def _page(title: str, rows: Sequence[Sequence[str]]) -> bytes:
    lines = [_text(title, _LEFT, _TOP, 16)]
    for down, row in enumerate(rows):
        for across, cell in enumerate(row):
            lines.append(_text(cell, _LEFT + across * _WIDTH // len(row), _TOP - 32 - down * _LINE, 10))
    return "\n".join(lines).encode("cp1252")


def _text(text: str, x: int, y: int, size: int) -> str:
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /F1 {size} Tf {x} {y} Td ({escaped}) Tj ET"


def _file(objects: Sequence[bytes]) -> Iterator[bytes]:
    """The file in parts, with the table of where its objects are."""
    at = len(header := b"%PDF-1.4\n")
    yield header
    places = []
    for number, body in enumerate(objects, 1):
        places.append(at)
        yield (part := b"%d 0 obj\n%b\nendobj\n" % (number, body))
        at += len(part)
    yield b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    yield from (b"%010d 00000 n \n" % place for place in places)
    yield b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)
