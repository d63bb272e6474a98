"""An answer that no passage supports is shown with a sign, or refused, whole and streamed."""

from __future__ import annotations

import msgspec
import pytest

from api.query.answer import NO_SUPPORT

pytestmark = pytest.mark.long

TEXT = "Travel above 2000 euros is approved by the head of finance."
INVENTED = "The admin password is 1234."


@pytest.fixture
async def api(shared_api):
    await shared_api.made("c")
    await shared_api.put({"id": "travel", "text": TEXT})
    return shared_api


@pytest.fixture
def says(monkeypatch):
    """Has the model say a text, whatever it reads; it ends for the given reason."""

    def say(text, reason="stop"):
        async def steps(self, stream, trace):
            while await stream.next() is not None:
                pass
            for word in text.split(" "):
                yield f"{word} "
            self.answer.finish_reason = reason

        monkeypatch.setattr("api.query.answer.CitedAnswer._steps", steps)

    return say


def body(**answer):
    plan = {"rerank": None, "compress": None, "answer": {"max_tokens": 4, **answer}}
    return {"collection": "c", "query": TEXT, "plan": plan}


async def asked(api, **answer):
    reply = await api("POST", "/v1/query", json=body(**answer))
    assert reply.status_code == 200, reply.text
    return reply.json()["answer"]


async def streamed(api, **answer):
    """The text of a stream, and its last answer."""
    reply = await api("POST", "/v1/query", json=body(**answer) | {"stream": True})
    events = [part.split("\n") for part in reply.text.strip().split("\n\n") if part.startswith("event")]
    data = [(lines[0].removeprefix("event: "), msgspec.json.decode(lines[1][6:])) for lines in events]
    return "".join(one["text"] for kind, one in data if kind == "delta"), data[-1][1]["answer"]


async def test_it_is_shown_by_default_and_refused_where_the_plan_says_so(api, says):
    says(INVENTED)
    shown = await asked(api)
    assert (shown["text"].strip(), shown["supported"]) == (INVENTED, False)
    refused = await asked(api, unsupported="refuse")
    assert (refused["text"], refused["supported"]) == (NO_SUPPORT, False)
    assert refused["finish_reason"] == "no_support"
    assert await streamed(api, unsupported="refuse") == (NO_SUPPORT, refused)


async def test_a_supported_answer_is_the_same_either_way(api, says):
    says(f"It is so. {TEXT} {INVENTED}")
    shown = await asked(api)
    assert await asked(api, unsupported="refuse") == shown
    text, answer = await streamed(api, unsupported="refuse")
    assert (text, answer) == (shown["text"], shown)
    assert answer["supported"]


async def test_an_answer_that_ran_out_of_time_is_no_refusal(api, says):
    says(INVENTED, reason="timeout")
    answer = await asked(api, unsupported="refuse")
    assert (answer["text"], answer["finish_reason"]) == ("", "timeout")


async def test_a_stop_text_ends_the_answer(api, says):
    says("One two three STOP four", reason="length")
    answer = await asked(api, stop=["STOP", "never"])
    assert (answer["text"], answer["finish_reason"]) == ("One two three ", "stop")
    assert (await asked(api, stop=["never"]))["finish_reason"] == "length"


@pytest.mark.parametrize("answer", [{"unsupported": "hide"}, {"top_p": 2}, {"stop": [""]}, {"stop": "x"}])
async def test_wrong_options_are_refused(api, answer):
    assert (await api("POST", "/v1/query", json=body(**answer))).status_code in (400, 422)
