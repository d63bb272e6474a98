"""A method is one file, one options struct and one catalogue line: nothing else in the product names it."""

from __future__ import annotations

import pytest

from api.query.catalogues import LISTED
from retrieval.catalogue import RETRIEVERS
from tests.support import ROOT
from tests.support.naming import Source

PRODUCT = (
    *("base", "models", "retrieval", "rerank", "compress", "context", "api", "sdk/excerpta"),
    *("evaluation", "training", "migrations"),
)
EACH = pytest.mark.parametrize(
    ("stage", "name"), [(stage, name) for stage in LISTED for name in LISTED[stage]]
)
STRUCTS = {
    # T and S are calibrated for one reading, against another: that is what a calibration is.
    ("context/calibration/calibrating.py", "Ape"),
    ("context/calibration/calibrating.py", "Sequential"),
}
FILES = {
    # A recipe trains one method, and measures its network by that method's own probabilities.
    ("training/recipes/keep/evaluate.py", "token-classifier"),
}
OTHER_MEANINGS = {
    ("api/collections/stored_plans.py", "likelihood"): "what the presets of earlier versions reranked by",
    ("api/settings.py", "tokens"): "the unit of a setting",
    ("context/citations/evidence.py", "first"): "a word of which another is the opposite",
    ("context/writing/generation.py", "ape"): "the networks' argument for an attention call",
    ("context/writing/likelihood.py", "ape"): "the networks' argument for an attention call",
    ("evaluation/command.py", "scores"): "the measures in the output",
    ("models/profile.py", "first"): "the name of a prompt",
    ("models/registry.py", "first"): "the name of a prompt",
    ("rerank/prompts/__init__.py", "first"): "the name of a prompt",
    ("retrieval/ngrams/index.py", "first"): "an array of the index on disk",
    ("retrieval/ngrams/index.py", "tokens"): "an array of the index on disk",
    ("sdk/excerpta/types/compress.py", "first"): "the first token of a word",
    ("training/__main__.py", "first"): "a recipe",
    ("training/__main__.py", "tokens"): "a recipe",
    ("training/__main__.py", "ngrams"): "a recipe",
    ("training/checkpoint.py", "first"): "the optimiser's first moments",
}
"""Words that happen to be a method's name too."""


def sources(*tops):
    return [
        Source.of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
        for top in tops
        for path in sorted((ROOT / top).rglob("*.py"))
    ]


SOURCES = sources(*PRODUCT)
BENCHMARKS = sources("benchmarks")


def places(stage, name):
    """Where a method may be named: its file, or all of a retriever's folder; its catalogue; its options."""
    method = LISTED[stage][name]
    *folder, _ = method.file.split(".")
    retriever = name in RETRIEVERS and stage == "retrieve"
    own = "/".join(folder) + "/" if retriever else f"{method.file.replace('.', '/')}.py"
    return (
        own,
        f"{'/'.join(folder[:-1])}/catalogue.py",
        f"sdk/{method.options.__module__.replace('.', '/')}.py",
    )


def elsewhere(stage, name, files):
    """The files outside a method's places."""
    return [source for source in files if not source.path.startswith(places(stage, name))]


def named(name, files, *, branching=False):
    """Where files have a method's name as a string."""
    return [
        f"{source.path}:{line} names {name!r}"
        for source in files
        for line, string in (source.branches if branching else source.strings)
        if string == name and (branching or (source.path, name) not in OTHER_MEANINGS)
    ]


def taken(stage, name, files):
    """Where files import a method's options or its file."""
    method = LISTED[stage][name]
    module, struct = method.options.__module__, method.options.__name__
    options = [
        f"{source.path} takes {struct} of {module}"
        for source in files
        if source.takes(module, struct) and (source.path, struct) not in STRUCTS
    ]
    return options + [
        f"{source.path} imports {one}"
        for source in files
        for one in source.imported
        if f"{one}.".startswith(f"{method.file}.") and (source.path, name) not in FILES
    ]


@EACH
def test_nothing_else_names_a_method(stage, name):
    method = LISTED[stage][name]
    own, catalogue, _ = places(stage, name)
    others = elsewhere(stage, name, SOURCES)
    assert taken(stage, name, others) == []
    # Another stage may have a method of the same name.
    same = {path for one in LISTED if name in LISTED[one] for path in places(one, name)}
    assert named(name, [one for one in others if not one.path.startswith(tuple(same))]) == []
    by_path = {source.path: source for source in SOURCES}
    assert method.file in by_path[catalogue].imported
    assert any(path.startswith(own) for path in by_path)


@EACH
def test_a_benchmark_chooses_methods_and_branches_on_none(stage, name):
    assert named(name, BENCHMARKS, branching=True) == []


def test_every_exception_is_needed():
    by_path = {source.path: source for source in SOURCES}
    methods = {name: method for stage in LISTED.values() for name, method in stage.items()}
    for path, struct in STRUCTS:
        assert any(one.endswith(f".{struct}") for one in by_path[path].imported)
    for path, name in FILES:
        assert any(one.startswith(f"{methods[name].file}.") for one in by_path[path].imported)
    for path, name in OTHER_MEANINGS:
        assert name in {string for _, string in by_path[path].strings}


PLANTED = {
    "compared": 'if stage == "{name}": pass',
    "among": 'if stage in ("other", "{name}"): pass',
    "matched": 'match stage:\n    case "{name}": pass',
    "looked up": 'table["{name}"]',
    "asked for": 'table.get("{name}")',
    "intersected": 'wanted & {{"{name}"}}',
}


@EACH
@pytest.mark.parametrize("way", PLANTED)
def test_a_branch_on_a_name_is_found(stage, name, way):
    planted = [Source.of("api/query/planted.py", f"first_line = 1\n{PLANTED[way].format(name=name)}\n")]
    line = 3 if way == "matched" else 2
    for branching in (False, True):
        assert named(name, planted, branching=branching) == [f"api/query/planted.py:{line} names {name!r}"]
    assert elsewhere(stage, name, planted) == planted


@EACH
def test_a_preset_by_name_is_found_in_the_product_alone(stage, name):
    planted = [Source.of("api/query/planted.py", f'PLAN = {{"method": "{name}", "note": "{name} is one"}}')]
    assert named(name, planted) == [f"api/query/planted.py:1 names {name!r}"]
    assert named(name, planted, branching=True) == []


@EACH
def test_an_import_of_a_method_is_found(stage, name):
    method = LISTED[stage][name]
    module, struct = method.options.__module__, method.options.__name__
    package, last = module.rsplit(".", 1)
    folder, file = method.file.rsplit(".", 1)
    for text in (
        f"from {module} import {struct}",
        f"from {package} import {last}\n{last}.{struct}()",
        f"import {module}\n{module}.{struct}()",
        f"from {method.file} import METHOD",
        f"from {folder} import {file}",
        f"import {method.file}",
    ):
        assert len(taken(stage, name, [Source.of("api/query/planted.py", text)])) == 1, text
    assert taken(stage, name, [Source.of("api/query/planted.py", f"from {module} import TAG")]) == []
