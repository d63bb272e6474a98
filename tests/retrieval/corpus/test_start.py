"""The process that reads files starts with what its files need, since a small sync pays for it each time."""

import subprocess
import sys

import pytest

from retrieval.corpus.formats import Format
from retrieval.corpus.load import loader_of

_HOLD_FILES = (Format.ZIP, Format.MAIL, Format.MAILBOX)
_LARGE = ("numpy", "torch", "charset_normalizer", "docx", "pypdfium2", "lxml", "markdown_it", "openpyxl")
_READ = """
import sys
from retrieval.corpus import file_reader
from retrieval.corpus.load import load_file
assert list(load_file(sys.argv[1], sys.argv[2].encode()))
print(*(name for name in sys.argv[3:] if name in sys.modules))
"""


@pytest.mark.parametrize("kind", [one for one in Format if one not in _HOLD_FILES])
def test_every_format_whose_files_hold_no_others_has_a_loader(kind):
    assert callable(loader_of(kind))


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "text", "needed"),
    [
        ("a.txt", "Hotels\n\nA night is 150 euros.", []),
        ("a.csv", "sku,price\nPPR-9087,19.25\n", []),
        ("a.html", "<!doctype html><title>T</title><main><p>Text.</p></main>", ["lxml"]),
        ("a.md", "# Hotels\n\nA *night* is 150 euros.", ["lxml", "markdown_it"]),
    ],
)
def test_a_file_is_read_without_the_libraries_of_other_formats(name, text, needed):
    command = [sys.executable, "-c", _READ, name, text, *_LARGE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == needed
