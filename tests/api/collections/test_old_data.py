"""A data directory written by an earlier version: it opens, and everything in it still means the same.

`tests/fixtures/README.md` says how it was made. Nothing in it may be regenerated to make a test pass: stored
settings and indexes have to be understood as they are.
"""

from __future__ import annotations

import json
import tarfile

import msgspec
import pytest
from excerpta import Client
from excerpta._local import Lifespan, LocalServer

from tests.support import FIXTURES

pytestmark = pytest.mark.model

FIXTURE = FIXTURES / "data-6801ab2"
EXPECTED = json.loads((FIXTURE / "expected.json").read_text("utf-8"))
QUESTIONS = EXPECTED["questions"]

# Plans of the requests, in today's form; the stored ones are in the fixture, in their old form.
SEARCHES = {
    "stored": None,
    "lexical": {"retrieve": {"tokens": None, "ngrams": None, "lexical": {}}},
    "tokens": {"retrieve": {"tokens": {}, "ngrams": None, "lexical": None}},
    "ngrams": {"retrieve": {"tokens": None, "ngrams": {}, "lexical": None}},
    "scores": {"retrieve": {"ngrams": {}}, "fuse": {"method": "scores"}},
    "rrf": {"retrieve": {"ngrams": {}}, "fuse": {"method": "rrf"}},
}
ASKED = {"stored": None, "one-passage": {"context": {"passages": 1}}, "not-reranked": {"rerank": None}}
# What today's defaults do otherwise, as it was: a collection that stored no plan is not reranked (ADR 20).
AS_IT_WAS = {"no-plan": {"rerank": {"method": "likelihood"}}}
# Compression chooses other words today (ADR 21), so attention lies on them otherwise. The budget holds.
OTHER_WORDS = {"ape": {"entropy", "shares"}}
LATER_MODELS = "ranker = false\nngram_writer = false\n"
FILTERS = {
    "year": {"year": {"$gte": 2024}},
    "tags": {"tags": {"$in": ["trips"]}},
    "neither": {"$and": [{"binding": True}, {"weight": {"$lt": 1}}]},
    "exists": {"until": {"$exists": True}},
}


def has(found, wanted):
    """Whether everything that was there is; a newer version may tell more."""
    return {name: found.get(name) for name in wanted} == wanted


def close(value):
    """Networks in float32 differ in the last digits from processor to processor."""
    return pytest.approx(value, rel=1e-3, abs=2e-4)


@pytest.fixture(scope="module")
def data(tmp_path_factory, models_dir):
    """The old directory, unpacked, without models that a profile did not have then.

    Only converted weights are shared with other tests.
    """
    path = tmp_path_factory.mktemp("old") / "data"
    with tarfile.open(FIXTURE / "data.tar.gz") as archive:
        archive.extractall(path, filter="data")
    profile = path / "profiles" / "small.toml"
    profile.write_text(LATER_MODELS + profile.read_text("utf-8"), "utf-8")
    (models_dir / "models").mkdir(parents=True, exist_ok=True)
    (path / "models").symlink_to(models_dir / "models")
    return path


@pytest.fixture(scope="module")
def client(data):
    """A client of today's service over the old directory."""
    from api.app import create_app
    from api.settings import Settings

    # Merging would make other segments of those that were written.
    settings = Settings(
        data_dir=data, profile="small", device="cpu", warm=False, merge_share=0, allowed_hosts=("local",)
    )
    app = create_app(settings)
    server = LocalServer(app)
    server._lifespan = Lifespan(app)
    server.submit(server._lifespan.startup()).result()
    try:
        with Client("http://local", transport=server.transport(), timeout=600) as client:
            yield client
    finally:
        server.stop()


@pytest.fixture
def handbook(client):
    return client.collections.get("handbook")


def hits(reply):
    return [
        {"passage_id": one.passage_id, "span": list(one.span), "scores": _scores(one)} for one in reply.hits
    ]


def _scores(hit):
    return {
        name: value for name, value in msgspec.to_builtins(hit.scores).items() if isinstance(value, float)
    }


def assert_hits(reply, wanted):
    found = hits(reply)
    assert [(one["passage_id"], one["span"]) for one in found] == [
        (one["passage_id"], one["span"]) for one in wanted
    ]
    for one, other in zip(found, wanted, strict=True):
        assert one["scores"] == close(other["scores"]), one["passage_id"]


def assert_answer(reply, wanted, besides=frozenset()):
    assert_hits(reply, wanted["hits"])
    assert (reply.warnings, reply.index_version) == (wanted["warnings"], wanted["version"])
    if wanted["answer"] is None:
        assert reply.answer is None
        return
    answer, usage, expected = reply.answer, reply.usage, wanted["answer"]
    assert (answer.text, answer.supported, answer.finish_reason) == (
        expected["text"],
        expected["supported"],
        expected["finish_reason"],
    )
    cited = [msgspec.to_builtins(one) for one in answer.citations]
    assert len(cited) == len(expected["citations"])
    for one, other in zip(cited, expected["citations"], strict=True):
        assert has(one, other)
    for name in ("context_tokens", "compressed_tokens", "question_tokens"):
        assert getattr(usage, name) == expected[name], name
    assert_reading(answer.reading, expected["reading"], besides)


def assert_reading(reading, wanted, besides):
    """The attention where the answer begins tells ways of reading apart that write the same answer."""
    if wanted is None:
        assert reading is None
        return
    found = msgspec.to_builtins(reading)
    for name in wanted.keys() - besides:
        assert found[name] == close(wanted[name]), name


def test_collections_are_as_they_were(client):
    listed = {one.name: msgspec.to_builtins(one) for one in client.collections.list()}
    assert listed.keys() == EXPECTED["collections"].keys()
    for name, wanted in EXPECTED["collections"].items():
        corrupt = client.collections.get(name).verify()
        assert has({**listed[name], "corrupt": corrupt}, wanted), name


def test_documents_are_as_they_were(handbook):
    for name, wanted in EXPECTED["documents"].items():
        assert has(msgspec.to_builtins(handbook.get(name)), wanted)


def test_prompts_and_jobs_are_as_they_were(client):
    assert msgspec.to_builtins(client.prompts.list()) == EXPECTED["prompts"]
    jobs = [msgspec.to_builtins(one) for one in client.jobs.list()]
    assert len(jobs) == len(EXPECTED["jobs"])
    for job, wanted in zip(jobs, EXPECTED["jobs"], strict=True):
        assert has(job, wanted)


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_find_the_same(handbook, name):
    for question, wanted in zip(QUESTIONS, EXPECTED["searches"][name], strict=True):
        assert_hits(handbook.search(question, plan=SEARCHES[name]), wanted)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_find_the_same(handbook, name):
    found = handbook.search(QUESTIONS[0], filter=FILTERS[name]).hits
    assert [one.passage_id for one in found] == EXPECTED["filtered"][name]


@pytest.mark.parametrize("name", ASKED)
def test_answers_are_the_same(handbook, name):
    for question, wanted in zip(QUESTIONS, EXPECTED["answers"][name], strict=False):
        assert_answer(handbook.ask(question, plan=ASKED[name], explain=True), wanted)


@pytest.mark.parametrize("name", EXPECTED["plans"])
def test_a_stored_plan_means_the_same(client, name):
    collection = client.collections.get(f"plan.{name}")
    reply = collection.ask(QUESTIONS[0], plan=AS_IT_WAS.get(name), explain=True)
    assert_answer(reply, EXPECTED["plans"][name], besides=OTHER_WORDS.get(name, set()))


def test_it_is_written_to(handbook, client):
    """Last: what is put in now is found beside what was there."""
    added = handbook.add([{"id": "parking", "text": "Parking is free on Sundays."}])
    assert added.version == EXPECTED["collections"]["handbook"]["version"] + 1
    found = handbook.search("When is parking free?", plan="fast").hits
    assert found[0].document_id == "parking"
    assert handbook.verify() == []
