"""`context.mode` of a plan: every mode answers, the reply says how, and unknown ones are refused."""

from typing import get_args

import msgspec
import pytest
from excerpta.types import ContextMode, PlanOptions

from api.query import plan as plans
from context import DEFAULT_MODE, READINGS

DOCUMENTS = [
    {"id": "travel", "text": "Travel above 2000 euros is approved by the head of finance."},
    {"id": "tides", "text": "Tides are caused by the moon. They come twice a day, above all."},
    {"id": "hotel", "text": "A hotel costs 150 euros, travel by train is approved."},
]


def test_the_contract_names_every_mode():
    assert set(get_args(ContextMode)) == {"auto", *READINGS}
    for mode in get_args(ContextMode):
        plan = plans.resolve(msgspec.convert({"context": {"mode": mode}}, PlanOptions))
        assert plan.context.mode == (DEFAULT_MODE if mode == "auto" else mode)
        assert plan.context.temperature is plan.context.scale is plan.context.keep is None


async def test_every_mode_answers_and_says_how(api):
    await api.made()
    await api.put(*DOCUMENTS)
    body = {"collection": "c", "query": "Who approves travel above 2000 euros?", "explain": True}
    answers = {}
    for mode in get_args(ContextMode):
        context = {"mode": mode, "keep": 1, "temperature": 0.5, "scale": 0.8, "bias": 0.5}
        plan = {"rerank": None, "context": context, "answer": {"max_tokens": 6}}
        reply = await api("POST", "/v1/query", json=body | {"plan": plan})
        assert reply.status_code in (200, 201), reply.text
        answers[mode] = reply.json()["answer"]
        reading = answers[mode]["reading"]
        assert (
            reading["method"] == reply.json()["plan"]["context"]["mode"] == mode.replace("auto", DEFAULT_MODE)
        )
        assert reading["entropy"] > 0
        if mode in ("ape", "guard", "superposition"):
            assert (reading["temperature"], reading["scale"], reading["bias"]) == (0.5, 0.8, 0.5)
        if mode == "superposition":
            best = max(range(len(reading["saliency"])), key=reading["saliency"].__getitem__)
            assert reading["read"] == [best]
    quiet = await api("POST", "/v1/query", json=body | {"explain": False})
    assert quiet.json()["answer"]["reading"] is None


@pytest.mark.parametrize("context", [{"mode": "magic"}, {"keep": 0}, {"bias": 21}, {"recompute": 3}])
async def test_unknown_modes_and_options_are_refused(api, context):
    await api.made()
    reply = await api(
        "POST", "/v1/query", json={"collection": "c", "query": "x", "plan": {"context": context}}
    )
    assert reply.status_code in (400, 422)
