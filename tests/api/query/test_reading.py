"""`context.reading` of a plan: every method answers, the reply names it, and unknown ones are refused."""

import pytest
from excerpta.types import PlanOptions
from excerpta.types.reading import Guard

from api.query import plan as plans
from context import READINGS

DOCUMENTS = [
    {"id": "travel", "text": "Travel above 2000 euros is approved by the head of finance."},
    {"id": "tides", "text": "Tides are caused by the moon. They come twice a day, above all."},
    {"id": "hotel", "text": "A hotel costs 150 euros, travel by train is approved."},
]
ASKED = {"temperature": 0.5, "scale": 0.8, "bias": 0.5, "keep": 1}


@pytest.mark.parametrize("method", ["auto", *READINGS])
def test_a_plan_may_name_every_method(method):
    plan = plans.resolve(PlanOptions(context={"reading": {"method": method}}))
    assert plan.context.reading == READINGS.resolve({"method": method})


def test_a_struct_says_everything_and_a_mapping_what_it_names():
    stored = PlanOptions(context={"passages": 7, "reading": {"method": "guard", "keep": 3}})
    assert plans.resolve(None, stored).context.reading == Guard(keep=3)
    over = plans.resolve(PlanOptions(context={"reading": {"bias": 1.0}}), stored).context
    assert (over.passages, over.reading) == (7, Guard(keep=3, bias=1.0))
    assert plans.resolve(PlanOptions(context={"reading": {"method": "epic"}}), stored).context.passages == 7


@pytest.mark.long
@pytest.mark.parametrize("method", ["auto", *READINGS])
async def test_every_method_answers_and_says_how(api, method):
    await api.made()
    await api.put(*DOCUMENTS)
    options = {name: value for name, value in ASKED.items() if name in READINGS[method].fields}
    reading = {"method": method, **options}
    plan = {"rerank": None, "context": {"reading": reading}, "answer": {"max_tokens": 6}}
    body = {"collection": "c", "query": "Who approves travel above 2000 euros?", "plan": plan}
    reply = (await api("POST", "/v1/query", json=body | {"explain": True})).json()
    notes = reply["answer"]["reading"]
    assert notes["method"] == reply["plan"]["context"]["reading"]["method"] == READINGS[method].name
    assert notes["entropy"] > 0
    for name in {"temperature", "scale", "bias"}.intersection(options):
        assert notes[name] == options[name]
    if notes["saliency"]:
        best = max(range(len(notes["saliency"])), key=notes["saliency"].__getitem__)
        assert notes["read"] == [best]
    quiet = await api("POST", "/v1/query", json=body)
    assert quiet.json()["answer"]["reading"] is None


@pytest.mark.parametrize(
    ("context", "slug"),
    [
        ({"reading": {"method": "magic"}}, "unknown-method"),
        ({"reading": {"keep": 0}}, "invalid-option"),
        ({"reading": {"bias": 21}}, "invalid-option"),
        ({"reading": {"recompute": 3}}, "invalid-option"),
        ({"reading": {"method": "epic", "temperature": 0.5}}, "invalid-option"),
        ({"reading": {"method": "sequential", "keep": 1}}, "invalid-option"),
        ({"reading": {"method": "structured", "bias": 5}}, "invalid-option"),
        ({"mode": "epic"}, "invalid-request"),
        ({"selection": "all"}, "invalid-request"),
    ],
)
async def test_what_a_method_does_not_read_is_refused(api, problem, context, slug):
    await api.made()
    body = {"collection": "c", "query": "x", "plan": {"context": context}}
    problem(await api("POST", "/v1/query", json=body), 422, slug)
