"""A stage that runs out of time is named in the trace."""

import asyncio

from api.telemetry.trace import Trace


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
