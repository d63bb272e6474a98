"""The benchmark of the first token: its cases run, and say what they should of each other."""

from __future__ import annotations

import pytest

from benchmarks.context.first_token import SpeedOptions, passages_of, run_speed
from benchmarks.report import Report
from context import ContextEngine, PrefixStore


@pytest.mark.model
@pytest.mark.process  # Redis
def test_every_case_is_measured_with_its_speed_up(small_models):
    report = Report("context", None)
    options = SpeedOptions(
        cases=("sequential", "question-only", "memory", "disk-cold", "partial", "redis", "decode"),
        storages=("exact", "int8"),
        passages=(2,),
        runs=1,
        redis_url="redis://127.0.0.1:1",
    )
    run_speed(small_models.lm, "auto", options, report)
    found = {(one.data, one.case, one.metric): one.value for one in report.results}
    for case in ("sequential", "question-only", "memory", "disk-cold", "partial"):
        assert found["2x200 auto", case, "ttft_cpu_ms"] > 0
        assert found["2x200 auto", case, "ttft_ms"] > 0
    for data, case in (("auto int8", "memory"), ("auto", "memory"), ("auto", "partial")):
        assert found[f"2x200 {data}", case, "cpu_speedup"] > 0  # how much is measured, not tested
    assert ("auto", "redis") in report.notes
    assert {one.data for one in report.results if one.case == "decode"} == {
        "0x200 auto",
        "1x200 auto",
        "2x200 auto",
    }


@pytest.mark.model
def test_passages_are_as_long_as_they_say(small_models):
    engine = ContextEngine(small_models.lm, PrefixStore(0))
    passages = passages_of(small_models.lm, 3, tokens=50)
    assert [len(engine._prompt.passage(one)) for one in passages] == [50] * 3
    assert len({one.text for one in passages}) == 3
