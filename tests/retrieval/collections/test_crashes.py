"""Killed at any step of any change, a collection reopens at the old or the new version, whole."""

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from retrieval import BatchKey, Collection, Document, IndexSettings
from retrieval.segments.crash_points import MERGE_POINTS, POINTS
from tests.support import ROOT
from tests.support.fakes import HashEncoder, WordVocabulary
from tests.support.searches import by_words

pytestmark = pytest.mark.process

MODELS = {"encoder": HashEncoder(), "vocabulary": WordVocabulary()}
FIRST = [Document(f"old-{at}", f"An otter number {at}.", metadata={"at": at}) for at in (0, 1)]
SECOND = [Document(f"old-{at}", f"An otter number {at}.", metadata={"at": at}) for at in (2, 3)]
OLD = {f"old-{at}": f"An otter number {at}." for at in range(4)}
NEW = {
    "add": OLD | {"new": "A newt swims."},
    "replace": OLD | {"new": "A newt swims.", "old-1": "Changed words entirely."},
    "delete": {key: OLD[key] for key in ("old-2", "old-3")},
    "delete-some": {"old-3": OLD["old-3"]},
    "merge": OLD,
}
EVERY = (*POINTS, *MERGE_POINTS)
RUNS = [(operation, point) for operation in NEW for point in EVERY]
COMMITTED = ("manifest.renamed", "manifest.published", "merge.committed")


def run(jobs):
    """How each job's process ended."""
    runner = [sys.executable, "-m", "tests.support.runs.crash"]
    done = subprocess.run(runner, input=json.dumps(jobs), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def contents(collection):
    """Every live passage by document, as each way of reading it has it."""
    with collection.snapshot() as snapshot:
        selection = snapshot.allowed(None)
        live = Counter()
        texts = {}
        bits = selection.joined([len(one.passages) for one in collection._versions.current().segments])
        for number in range(snapshot.passages):
            if bits is None or bits[number]:
                passage = snapshot.passage(number)
                live[passage.document_id] += 1
                texts[passage.document_id] = passage.text
        assert set(live.values()) <= {1}
        assert collection.contains(["new", *OLD]) == texts.keys()
        for word, key in (("newt", "new"), ("changed", "old-1")):
            hits = by_words(snapshot, word, selection=selection)
            found = {snapshot.passage(int(number)).document_id for number in hits.numbers}
            assert found == {one for one in (key,) if word in texts.get(one, "").lower()}
        return texts


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A copy of one collection for each run, after the run was killed; and how it ended."""
    home = tmp_path_factory.mktemp("crashes")
    before = home / "before"
    collection = Collection.create(before, **MODELS, settings=IndexSettings(16, 2))
    collection.add(FIRST)
    collection.add(SECOND)
    paths = {}
    for operation, point in RUNS:
        paths[operation, point] = home / f"{operation}-{point}"
        shutil.copytree(before, paths[operation, point])
    ends = run([[str(path), operation, point] for (operation, point), path in paths.items()])
    return {key: (path, end) for (key, path), end in zip(paths.items(), ends, strict=True)}


def test_every_point_was_reached(killed):
    reached = {point for (_, point), (_, end) in killed.items() if end == -signal.SIGKILL}
    assert reached == set(EVERY)
    assert {end for _, end in killed.values()} == {0, -signal.SIGKILL}
    for operation in ("add", "replace", "merge"):
        assert all(killed[operation, point][1] for point in POINTS[:6])


@pytest.mark.parametrize(("operation", "point"), RUNS)
def test_the_old_or_the_new_version_opens(killed, operation, point):
    path, end = killed[operation, point]
    collection = Collection.open(path, **MODELS)
    seen = contents(collection)
    committed = end == 0 or point in COMMITTED or point.startswith("sweep")
    assert seen == (NEW[operation] if committed else OLD)
    assert collection.verify() == []
    assert collection.stats().version == 2 + committed
    if operation in ("add", "replace"):
        assert (collection.committed(BatchKey("job", 7)) is not None) == committed
    listed = {one["name"] for one in json.loads((path / "manifest.json").read_text())["segments"]}
    assert {one.name for one in (path / "segments").iterdir()} == listed
    assert list(path.rglob("*.tmp")) == []


def test_whatever_was_killed_succeeds_when_repeated(killed):
    ends = run([[str(path), operation, "none"] for (operation, _), (path, _) in killed.items()])
    assert set(ends) == {0}
    for (operation, _), (path, _) in killed.items():
        collection = Collection.open(path, **MODELS)
        assert contents(collection) == NEW[operation]
        assert collection.stats().version == 3
