"""Every example in a docstring is run."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = (
    "base",
    "retrieval",
    "rerank",
    "compress",
    "context",
    "models",
    "api",
    "evaluation",
    "training",
    "excerpta",
)


def modules():
    for package in PACKAGES:
        yield package
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not found.name.endswith("__main__"):
                yield found.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_hold(name):
    if name.startswith("excerpta.adapters."):
        pytest.importorskip(
            f"{name.rpartition('.')[2]}_core", reason="run where the library is: `make test-adapters`"
        )
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
