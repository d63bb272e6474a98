"""The small parts: settings, plans, evidence, spool, reader, event streams, the OpenAPI document, the layout."""

import asyncio
import sys
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from excerpta.types import PlanOptions
from hypothesis import given
from hypothesis import strategies as st

from api.collections.storable import clean, storable
from api.commands import openapi
from api.commands import shadowed as layout
from api.embedded import open_local
from api.errors import (
    InvalidPlan,
    InvalidSettings,
    InvalidUpload,
    ShadowedPackage,
    ShuttingDown,
    UnknownPlan,
    UploadTooLarge,
)
from api.http import sse
from api.http.fields import allowed_at
from api.http.ids import new_id
from api.jobs.batches import BatchLimits, Cursor, batches
from api.jobs.uploads import Uploads
from api.query import plan as plans
from api.query.evidence import coverage, question_terms, weigh
from api.settings import Settings, variable
from api.telemetry.trace import Trace
from retrieval import Document
from retrieval.corpus import DEFAULT_LIMITS

# --- settings


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"port": -1}, "0 or more"),
        ({"port": 70_000}, "65535 or less"),
        ({"role": "boss"}, "all, api, worker"),
        ({"host": ""}, "127.0.0.1"),
        ({"api_keys": ("short",)}, "16 characters"),
        ({"database_url": "mysql://root:secret@x/y"}, "postgresql"),
        ({"redis_url": "http://x"}, "redis://"),
        ({"queue_capacity": 0}, "1 or more"),
        ({"lease_s": 0}, "0.5 or more"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_its_remedy(wrong, says):
    with pytest.raises(InvalidSettings, match=says) as raised:
        Settings(**wrong)
    assert "secret" not in str(raised.value)


def test_settings_come_from_the_environment():
    environ = {
        "EXCERPTA_DATA": "/d",
        "EXCERPTA_PORT": "9",
        "EXCERPTA_LEASE_S": "2.5",
        "EXCERPTA_INSECURE": "yes",
        "EXCERPTA_API_KEYS": "a" * 16 + "," + "b" * 16,
        "EXCERPTA_REDIS_URL": "",
    }
    settings = Settings.from_env(environ, port=8, host=None)
    assert (settings.data_dir, settings.port, settings.lease_s) == (Path("/d"), 8, 2.5)
    assert settings.insecure
    assert settings.api_keys == ("a" * 16, "b" * 16)
    assert settings.database == "sqlite+aiosqlite:////d/excerpta.db"
    assert variable("batch_documents") == "EXCERPTA_BATCH_DOCUMENTS"
    for name, value in (("PORT", "x"), ("INSECURE", "perhaps"), ("LEASE_S", "soon")):
        with pytest.raises(InvalidSettings, match=name):
            Settings.from_env({f"EXCERPTA_{name}": value})


@pytest.mark.parametrize(
    ("host", "open_door"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("example.org", True)],
)
def test_only_this_machine_without_keys(host, open_door):
    settings = Settings(host=host, make_key=False)
    assert settings.needs_key == open_door
    if open_door:
        with pytest.raises(InvalidSettings, match="EXCERPTA_API_KEYS"):
            settings.refuse_open_door()
    else:
        settings.refuse_open_door()
    replace(settings, api_keys=("k" * 16,)).refuse_open_door()
    replace(settings, insecure=True).refuse_open_door()


# --- plans


def options(**members):
    return msgspec.convert(members, PlanOptions)


def test_every_preset_is_a_whole_plan():
    for name in plans.PRESETS:
        assert plans.resolve(name).base == name
    assert plans.resolve(None) == plans.resolve("balanced") == plans.resolve(options())
    assert plans.resolve("fast").answer is None
    assert plans.resolve("best").retrieve["ngrams"] is not None


def test_a_plan_lies_over_the_stored_one_and_that_over_a_preset():
    stored = options(base="best", rerank={"limit": 7}, answer=None)
    assert plans.resolve(None, stored).rerank.limit == 7
    assert plans.resolve(None, stored).answer is None
    over = plans.resolve(options(answer={"max_tokens": 5}), stored)
    assert (over.base, over.rerank.limit, over.answer.max_tokens) == ("best", 7, 5)
    assert over.answer.temperature == 0.0, "a stage switched on again starts from its defaults"
    assert plans.resolve("fast", stored).rerank is None
    assert plans.resolve(options(base="balanced"), stored).rerank.limit == 10
    assert plans.resolve(None, "fast").answer is None


def test_null_is_off_and_an_empty_object_is_on():
    assert plans.resolve(options(rerank=None)).rerank is None
    assert plans.resolve(options(base="fast", rerank={})).rerank == plans.resolve("balanced").rerank
    assert plans.resolve(options(retrieve={"ngrams": {"beams": 3}})).retrieve["ngrams"].beams == 3
    assert plans.resolve(options(retrieve={"tokens": None})).retrieve["lexical"] is not None
    weights = plans.resolve(options(fuse={"weights": {"tokens": 2.0}})).fuse.weights
    assert weights == plans.resolve(None).fuse.weights | {"tokens": 2.0}


def test_search_runs_what_it_is_told_to():
    assert plans.resolve("best", search=True).rerank is None
    assert plans.resolve(options(rerank={"limit": 3}), search=True).rerank.limit == 3
    assert plans.resolve(None, options(rerank={"limit": 3}), search=True).rerank is None
    with pytest.raises(InvalidPlan, match="/v1/query"):
        plans.resolve(options(answer={}), search=True)


def test_plans_that_are_none():
    with pytest.raises(UnknownPlan, match="balanced, best, fast"):
        plans.resolve("slow")
    with pytest.raises(InvalidPlan, match="no retriever"):
        plans.resolve(options(retrieve={"tokens": None, "lexical": None}))
    with pytest.raises(InvalidPlan, match="weight 0"):
        plans.resolve(options(retrieve={"tokens": None}, fuse={"weights": {"lexical": 0}}))


def test_allowed_names_are_found_at_any_depth():
    from excerpta.types import DocumentsRequest, QueryRequest

    assert allowed_at(DocumentsRequest, "documents[0]", fields=True) == ["id", "text", "title", "metadata"]
    assert allowed_at(QueryRequest, "no.such.place", fields=True) == []


# --- evidence


def test_evidence_goes_up_with_what_is_found():
    def frequency(term):
        return {"tide": 2, "moon": 3}.get(term, 0)

    def evidence(text, similarity):
        return weigh(
            "What causes the tides of the moon?",
            [text],
            similarities=[similarity],
            frequency=frequency,
            total=50,
        )

    good = evidence("Tides are caused by the moon.", 0.8)
    bad = evidence("Invoices are paid in March.", 0.2)
    assert good.supported
    assert not bad.supported
    assert good.coverage == 1.0
    assert bad.coverage == 0.0
    assert not evidence("Tides are caused by the moon.", 0.4).supported
    assert not evidence("Invoices are paid in March.", 0.8).supported
    assert not weigh("", [], similarities=[], frequency=frequency, total=0).supported


def test_the_words_of_asking_do_not_count():
    assert question_terms("What is the difference between a list and a tuple?") == ["list", "tupl"]
    assert question_terms("what does it do") == ["what", "doe", "do"]


@given(
    st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef"))
)
def test_coverage_is_a_share_and_grows(asked, found, more):
    def share(terms):
        return coverage(asked, terms, frequency=lambda term: ord(term) % 5, total=9)

    assert 0 <= share(found) <= share(found | more) <= 1 + 1e-12
    assert not asked or share(asked) == pytest.approx(1)


# --- texts


def test_what_cannot_be_kept_is_replaced_one_for_one():
    document = storable(Document("i", "a\0b\ud800c", "t\0", {"k": "v\0", "list": ["\0", 1]}))
    assert (document.text, document.title) == ("a\ufffdb\ufffdc", "t\ufffd")
    assert document.metadata == {"k": "v\ufffd", "list": ["\ufffd", 1]}


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_texts_can_be_encoded_and_keep_their_length(text):
    assert len(clean(text)) == len(text)
    assert b"\0" not in clean(text).encode()


def test_ids_sort_by_time():
    ids = []
    for _ in range(3):
        ids.append(new_id("x"))
        time.sleep(0.002)
    assert ids == sorted(ids)


# --- spool and reader


@pytest.fixture
def spool(tmp_path):
    return Uploads(tmp_path / "spool", 1000)


def spooled(spool, job, *files):
    with spool.writer() as writer:
        for name, content in files:
            writer.add(name, content)
        writer.keep(job)
    return spool.files(job)


def test_an_upload_is_kept_whole_or_not_at_all(spool, tmp_path):
    files = spooled(spool, "job", ("../../x", b"one"), ("ünï/b", b"two"))
    assert [(file.name, file.path.read_bytes()) for file in files] == [("../../x", b"one"), ("ünï/b", b"two")]
    assert all(file.path.parent == tmp_path / "spool" / "job" for file in files)
    with spool.writer() as writer:
        writer.add("a", b"x" * 600)
        with pytest.raises(UploadTooLarge):
            writer.add("b", b"x" * 600)
    with spool.writer() as writer:
        writer.add("a", b"x")
    assert list((tmp_path / "spool").iterdir()) == [tmp_path / "spool" / "job"]
    assert list(spool.jobs()) == ["job"]
    spool.drop("job")
    with pytest.raises(InvalidUpload, match="send it again"):
        spool.files("job")


def test_a_digest_tells_uploads_apart(spool):
    def digest(*files):
        with spool.writer() as writer:
            for name, content in files:
                writer.add(name, content)
            return writer.digest

    assert digest(("a", b"1"), ("b", b"2")) == digest(("a", b"1"), ("b", b"2"))
    different = [
        (("a", b"1"),),
        (("b", b"1"),),
        (("a", b"1"), ("b", b"")),
        (("a", b""), ("b", b"1")),
        (("ab", b"1"),),
    ]
    assert len({digest(*files) for files in different}) == len(different)


def read(files, *, lines, start=None, documents=3, characters=10**6):
    cut = BatchLimits(documents, characters)
    return list(batches(files, lines=lines, start=start or Cursor(), cut=cut, limits=DEFAULT_LIMITS))


def outcome(found):
    return (
        [one.id for batch in found for one in batch.documents],
        [one.name for batch in found for one in batch.unread],
    )


@pytest.mark.parametrize("lines", [True, False])
def test_reading_on_from_any_batch_gives_the_same_rest(spool, lines):
    if lines:
        content = b"".join(
            b'{"id": "d%d", "text": "t"}\n\n' % n if n % 5 else b"{broken\r\n" for n in range(1, 20)
        )
        files = spooled(spool, "job", ("x", content.rstrip()))
    else:
        rows = b"id,text\n" + b"".join(b"r%d,some text\n" % n for n in range(7))
        files = spooled(
            spool, "job", ("a.txt", b"text a"), ("rows.csv", rows), ("bad.pdf", b"%PDF-1"), ("b.md", b"# b")
        )
    whole = read(files, lines=lines)
    ids, unread = outcome(whole)
    assert len(ids) == (16 if lines else 9)
    assert unread == (["line 9", "line 18", "line 27"] if lines else ["bad.pdf"])
    assert max(len(batch.documents) for batch in whole) == 3
    for at, batch in enumerate(whole):
        rest = read(files, lines=lines, start=batch.cursor)
        assert outcome(rest) == outcome(whole[at + 1 :])
        assert [one.cursor for one in rest] == [one.cursor for one in whole[at + 1 :]]


def test_batches_are_cut_by_characters_and_the_last_of_an_id_counts(spool):
    lines = b'{"id": "a", "text": "old"}\n{"id": "b", "text": "xxxxx"}\n{"id": "a", "text": "new"}\n'
    files = spooled(spool, "job", ("x", lines))
    (batch,) = read(files, lines=True)
    assert {one.id: one.text for one in batch.documents} == {"a": "new", "b": "xxxxx"}
    assert batch.taken == 3
    assert [batch.taken for batch in read(files, lines=True, characters=8)] == [2, 1]


# --- event streams


async def drained(source, closing=None, keep_alive_s=5.0):
    return [
        chunk
        async for chunk in sse.stream(source, closing=closing or asyncio.Event(), keep_alive_s=keep_alive_s)
    ]


async def test_events_comments_errors_and_the_end():
    async def source():
        yield "one", {"n": 1}
        await asyncio.sleep(0.12)
        yield "two", {"text": "line\nline"}

    chunks = await drained(source(), keep_alive_s=0.05)
    assert chunks[0] == b'event: one\ndata: {"n":1}\n\n'
    assert chunks[1:-1] == [b": still here\n\n"] * len(chunks[1:-1])
    assert len(chunks) >= 3
    assert chunks[-1] == b'event: two\ndata: {"text":"line\\nline"}\n\n'

    async def failing():
        yield "one", {}
        raise UnknownPlan("x", ["y"])

    chunks = await drained(failing())
    assert chunks[-1].startswith(b"event: error\n")
    assert b"/problems/unknown-plan" in chunks[-1]


async def test_a_stream_ends_with_the_service_and_with_its_reader():
    closed = asyncio.Event()

    async def endless():
        try:
            yield "one", {}
            await asyncio.sleep(100)
        finally:
            closed.set()

    closing = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, closing.set)
    chunks = await drained(endless(), closing)
    assert ShuttingDown().args[0].encode() in chunks[-1]
    await asyncio.wait_for(closed.wait(), 1)

    closed.clear()
    stream = sse.stream(endless(), closing=asyncio.Event(), keep_alive_s=5)
    await anext(stream)
    await stream.aclose()
    await asyncio.wait_for(closed.wait(), 1)


async def test_what_runs_out_of_time_is_named():
    trace = Trace(timeout_s=0.05)

    async def quick():
        return 1

    assert await trace.within("a", quick(), 0) == 1
    assert not trace.partial
    assert await trace.within("the slow stage", asyncio.sleep(10, 2), 0) == 0
    assert trace.partial
    assert "the slow stage" in trace.warnings[0]
    assert await trace.within("b", quick(), 0) == 0, "no time is left"


# --- the whole


def test_importing_opens_nothing_and_the_openapi_document_is_complete(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = msgspec.json.decode(openapi.rendered())
    assert list(tmp_path.iterdir()) == []
    names = [spec["operationId"] for methods in document["paths"].values() for spec in methods.values()]
    assert len(names) == len(set(names)) == 31
    for path, methods in document["paths"].items():
        for spec in methods.values():
            assert spec["description"], path
            assert spec["tags"], path
            for status, reply in spec["responses"].items():
                if int(status) >= 400:
                    form = "json" if path == "/v1/chat/completions" else "problem+json"
                    assert list(reply["content"]) == [f"application/{form}"], (path, status)
            if not path.startswith("/health"):
                assert {"401", "500", "503"} <= set(spec["responses"]), path
    assert set(document["paths"]["/v1/query"]["post"]["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }


def test_the_documentation_needs_no_other_server():
    page = (files("api.playground") / "docs.html").read_text("utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "innerHTML" not in page


def test_another_package_of_our_name_is_noticed(tmp_path, monkeypatch):
    layout.refuse_shadows()
    (tmp_path / "rerank").mkdir()
    (tmp_path / "rerank" / "__init__.py").write_text("")
    monkeypatch.delitem(sys.modules, "rerank")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ShadowedPackage, match="rename the package") as raised:
        layout.refuse_shadows()
    assert raised.value.package == "rerank"


def test_open_local_opens_nothing_yet(tmp_path):
    app = open_local(str(tmp_path / "new"), profile="small")
    assert not (tmp_path / "new").exists()
    assert app.state.settings.role == "all"
    assert not app.state.settings.warm
