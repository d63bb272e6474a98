import hashlib
import io
import tarfile

import pytest

from benchmarks.reading.distributions import Distribution, Files, NotAvailable, fetch
from benchmarks.reading.samples import samples_of

_FILES = {
    "lib-1/tests/a.html": b"<p>Fee",
    "lib-1/tests/a.md": b"Fee",
    "lib-1/tests/b.html": b"<p>" + b"x" * 500,
    "lib-1/tests/c.html": b"<p>Due",
    "lib-1/setup.py": b"pass",
}
_LIB = Distribution("lib", "1", "lib-1.tar.gz", "", (Files("tests/*.html", ".md", "markdown"),))


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "lib-1.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, data in _FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return path


def test_a_sample_comes_with_its_expected_text_if_there_is_one(archive, tmp_path):
    found = {one.name: one.expected for one in samples_of(_LIB, archive, tmp_path)}
    assert found == {"tests/a.html": "Fee", "tests/b.html": None, "tests/c.html": None}


def test_large_files_can_be_left_out(archive, tmp_path):
    samples = samples_of(_LIB, archive, tmp_path, largest=100)
    assert [one.name for one in samples] == ["tests/a.html", "tests/c.html"]


def test_those_with_an_expected_text_are_kept_first(archive, tmp_path):
    (kept,) = samples_of(_LIB, archive, tmp_path, most=1)
    assert kept.expected == "Fee"


def test_a_distribution_that_was_downloaded_before_is_not_downloaded_again(archive):
    known = hashlib.sha256(archive.read_bytes()).hexdigest()
    pinned = Distribution("lib", "1", "lib-1.tar.gz", known, ())
    assert fetch(pinned, archive.parent) == archive


def test_another_file_than_the_pinned_one_is_not_used(archive):
    with pytest.raises(NotAvailable, match="not the file that is pinned"):
        fetch(_LIB, archive.parent)
