"""T and S without labels: the search, the file, and that the engine reads it."""

from __future__ import annotations

import pytest

from context import (
    Calibration,
    ContextEngine,
    EngineDefaults,
    InvalidCalibration,
    PrefixStore,
    find_calibration,
)
from context.calibration.calibrating import calibrate, reference_prompts
from context.defaults import SHIPPED, Measured, choose

FOUND = Calibration(
    fingerprint="tiny:float32:0",
    temperature=0.7,
    scale=0.9,
    prompts=2,
    entropy=2.5,
    plain_entropy=3.1,
    sequential_entropy=2.5,
    nll=1.0,
    plain_nll=1.3,
    sequential_nll=0.9,
)


def test_the_temperature_of_equal_entropy_is_found():
    asked = []

    def measure(temperature, scale):
        asked.append(temperature)
        return Measured(entropy=2 + temperature - scale / 10, nll=abs(scale - 0.9))

    temperature, scale, measured = choose(measure, 2.6)
    assert (temperature, scale) == (pytest.approx(0.69, abs=0.02), 0.9)
    assert measured.entropy == pytest.approx(2.6, abs=0.02)
    assert all(0.3 <= one <= 1.2 for one in asked)


def test_the_file_keeps_what_was_found(tmp_path, tiny):
    assert find_calibration(FOUND.fingerprint, [tmp_path]) is None
    file = FOUND.save(tmp_path)
    assert Calibration.read(file) == FOUND
    assert find_calibration(FOUND.fingerprint, [tmp_path]) == FOUND
    assert find_calibration("another:float32:0", [tmp_path]) is None
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.float32.0.toml"]
    store = PrefixStore(10**6)
    calibrated = ContextEngine(tiny, store, calibrations=[tmp_path]).defaults
    assert (calibrated.temperature, calibrated.scale) == (0.7, 0.9)
    assert ContextEngine(tiny, store).defaults == EngineDefaults()
    store.close()


@pytest.mark.parametrize(
    "text", ["temperature = 3", "= 1", 'fingerprint = "x"\nnonsense = 1', "temperature = -1.0"]
)
def test_broken_files_are_named(tmp_path, text):
    (tmp_path / "x.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidCalibration, match=r"x\.toml.*excerpta calibrate"):
        find_calibration("tiny:float32:0", [tmp_path])


def test_temperatures_out_of_range_are_refused(tmp_path):
    file = FOUND.save(tmp_path)
    file.write_text(file.read_text("utf-8").replace("temperature = 0.7", "temperature = 2.7"), "utf-8")
    with pytest.raises(InvalidCalibration, match="temperature"):
        Calibration.read(file)


@pytest.mark.long
def test_a_network_is_calibrated_towards_sequential_reading(tiny):
    store = PrefixStore(10**9)
    ticks = []
    prompts = [
        type(one)(one.question, tuple(type(p)(p.title, p.text[:120]) for p in one.passages))
        for one in reference_prompts(2, 3)
    ]
    assert prompts == [
        type(one)(one.question, tuple(type(p)(p.title, p.text[:120]) for p in one.passages))
        for one in reference_prompts(2, 3)
    ]
    found = calibrate(
        ContextEngine(tiny, store), prompts, progress=lambda what, done, total: ticks.append((done, total))
    )
    store.close()
    assert ticks == [(at + 1, len(ticks)) for at in range(len(ticks))]
    assert found.fingerprint == tiny.fingerprint
    assert 0.3 <= found.temperature <= 1.2
    closer = abs(found.entropy - found.sequential_entropy)
    assert closer <= abs(found.plain_entropy - found.sequential_entropy) + 1e-3


def test_what_is_shipped_can_be_read():
    for file in SHIPPED.glob("*.toml"):
        assert Calibration.read(file).entropy < Calibration.read(file).plain_entropy
