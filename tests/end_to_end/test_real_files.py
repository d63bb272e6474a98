"""The sample files of document libraries are read, or named with the reason why not."""

import pytest

from benchmarks.reading import CACHE
from benchmarks.reading.distributions import DISTRIBUTIONS, NotAvailable, fetch
from benchmarks.reading.measures import Share
from benchmarks.reading.read_samples import read
from benchmarks.reading.samples import samples_of

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("real-files")]

_MOST_FILES = 40
_LARGEST = 500_000
# The least share of the words of the library's own expected texts; `python -m benchmarks reading` measures it.
_RECALL = {
    "pypdf": 0.98,
    "pdfminer": 0.65,
    "tabula-py": 0.98,
    "PyDocX": 0.9,
    "html2text": 0.85,
    "Markdown": 0.98,
}
_A_FAULT = ("cannot be read as", "ended the process", "takes more than", "was given up by the system")


@pytest.fixture(scope="module", params=DISTRIBUTIONS, ids=lambda distribution: distribution.name)
def readings(request, tmp_path_factory):
    try:
        archive = fetch(request.param, CACHE)
    except NotAvailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("samples")
    samples = samples_of(request.param, archive, folder, most=_MOST_FILES, largest=_LARGEST)
    return request.param.name, read(samples)[0]


def test_each_file_is_read_or_named_with_a_reason(readings):
    _, files = readings
    assert files
    assert [one.sample.name for one in files if one.unreadable and not one.problem] == []


def test_no_file_makes_a_reader_fail(readings):
    _, files = readings
    assert {one.sample.name: one.problem for one in files if one.problem.startswith(_A_FAULT)} == {}


def test_the_words_that_a_library_expects_are_read(readings):
    name, files = readings
    share = sum((one.recall for one in files), Share())
    assert share.value >= _RECALL.get(name, 0.0)
