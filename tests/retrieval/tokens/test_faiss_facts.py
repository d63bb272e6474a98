"""An installed FAISS that cannot be used is refused with the remedy, before it gives a wrong answer."""

import sys

import faiss
import pytest

from retrieval.tokens import UnusableFaiss, faiss_facts


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts distributions of these names, and no files of theirs, in front of what is installed."""

    def made(*names):
        for name in names:
            info = tmp_path / f"{name.replace('-', '_')}-1.15.1.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.15.1\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    return made


def test_the_installed_one_can_be_used():
    faiss_facts.check_faiss.__wrapped__()


@pytest.mark.parametrize("other", ["faiss-gpu", "faiss-gpu-cuvs", "Faiss-GPU-cu12"])
def test_two_at_once_are_refused(install, other):
    install("faiss-cpu", other)
    with pytest.raises(UnusableFaiss) as refused:
        faiss_facts.check_faiss.__wrapped__()
    assert f"pip uninstall -y faiss-cpu {other.lower()}" in str(refused.value)


def test_one_alone_is_not(install):
    install("faiss-cpu")  # as what is installed is called: still one
    faiss_facts.check_faiss.__wrapped__()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda found: (found[0], found[1] * 0), "does not search by bitmap"),
        (lambda found: (found[0] + 1, found[1]), "drops low similarities"),
    ],
)
def test_another_behaviour_is_refused(monkeypatch, change, fault):
    real = faiss.IndexIVFPQFastScan.search

    def search(self, *args, **kwargs):
        return change(real(self, *args, **kwargs))

    monkeypatch.setattr(faiss.IndexIVFPQFastScan, "search", search)
    with pytest.raises(UnusableFaiss, match=fault):
        faiss_facts.check_faiss.__wrapped__()
