"""Packed matrices multiply as the weights they stand for; a wrong kernel is never chosen; dense ones stay exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.lean.matrix import TOLERANCE, Matrix, relative_error
from models.lean.packing import GROUP, PACKINGS, Int4Levels, Int8Levels
from models.lean.table import KernelTable, kernel_table, measure, multiplies_rightly

EVERY = pytest.mark.parametrize("form", PACKINGS)
ALWAYS_FASTER = KernelTable({"dense": {1: 2.0, 4: 2.0}, "int4": {1: 0.1, 4: 0.1}, "int8": {1: 1.0, 4: 3.0}})


def weights_of(outputs: int, groups: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(outputs, groups * GROUP, generator=torch.Generator().manual_seed(seed))


def four_bit_weights(outputs: int, groups: int) -> torch.Tensor:
    """Weights as a Q4_1 file has them: scale times 0 to 15, plus a minimum, float16 both."""
    draw = torch.Generator().manual_seed(1)
    scale = torch.rand(outputs, groups, 1, generator=draw).half().float() + 0.1
    least = torch.randn(outputs, groups, 1, generator=draw).half().float()
    levels = torch.randint(16, (outputs, groups, GROUP), generator=draw)
    levels[..., 0], levels[..., 1] = 0, 15
    return (scale * levels + least).flatten(1)


@EVERY
@given(outputs=st.integers(1, 6), groups=st.integers(1, 5), rows=st.integers(1, 20), seed=st.integers(0, 99))
def test_a_product_is_that_of_the_levels_in_float64(form, outputs, groups, rows, seed):
    levels = PACKINGS[form](weights_of(32 * outputs, groups, seed))
    x = torch.randn(rows, groups * GROUP, generator=torch.Generator().manual_seed(seed))
    wanted = x.bfloat16().double() @ levels.dense().double().T
    found = levels.packed()(x)
    assert (found.shape, found.dtype) == (wanted.shape, torch.bfloat16)
    # One rounding to bfloat16 at the end; sums of random signs are smaller than their terms.
    torch.testing.assert_close(found.double(), wanted, rtol=2**-7, atol=0.02 * float(wanted.abs().max()))


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_levels_are_the_nearest_and_the_weights_stay_as_they_were(form, dtype):
    weights = weights_of(32, 4).to(dtype)
    before = weights.clone()
    levels = PACKINGS[form](weights)
    assert torch.equal(weights, before)
    off = (levels.dense() - weights.float()).abs().view(32, -1, GROUP)
    scale = levels.scale.float().view(32, -1, 1)
    # Half a level, and what rounding the scale itself moves the outermost level by.
    assert (off <= scale * (0.5 + (8 if form == "int4" else 127) * 2**-8)).all()


def test_weights_of_four_bits_keep_their_levels():
    weights = four_bit_weights(64, 4)
    assert relative_error(Int4Levels.of(weights), weights) < 0.005
    assert relative_error(Int4Levels.of(weights_of(64, 4)), weights_of(64, 4)) > 3 * TOLERANCE
    assert relative_error(Int8Levels.of(weights_of(64, 4)), weights_of(64, 4)) < TOLERANCE


def test_many_outputs_are_packed_as_few_are():
    weights = weights_of(32 * 40, 2)
    whole = Int8Levels.of(weights)
    parts = [Int8Levels.of(part) for part in weights.split(320)]
    assert torch.equal(whole.levels, torch.cat([part.levels for part in parts]))
    assert torch.equal(whole.scale, torch.cat([part.scale for part in parts]))


def test_a_group_of_equal_weights_has_finite_levels():
    for value in (0.0, 3.0, -2.5):
        for packing in PACKINGS.values():
            weights = torch.full((32, GROUP), value)
            torch.testing.assert_close(packing(weights).dense(), weights, rtol=0.01, atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 33), (32, 16), (17, 32)])
@EVERY
def test_a_shape_that_the_kernels_would_read_beyond_is_refused(form, shape):
    with pytest.raises(ValueError, match="multiples of 32"):
        PACKINGS[form](torch.randn(shape))


def test_a_matrix_takes_the_fastest_form_that_keeps_its_weights():
    on_levels, others = four_bit_weights(64, 4), weights_of(64, 4)
    x = torch.randn(4, 128)
    packed = Matrix.of([on_levels], ALWAYS_FASTER)
    assert torch.equal(packed(x), Int4Levels.of(on_levels).packed()(x))
    eight = Matrix.of([others], ALWAYS_FASTER)
    assert torch.equal(eight(x[:1]), Int8Levels.of(others).packed()(x[:1]))
    assert torch.equal(eight(x), x @ others.T)  # int8 is slower than dense for 4 rows
    assert (packed.packs(4), packed.packs(5), eight.packs(4)) == (True, False, False)


def test_a_matrix_of_several_weights_gives_their_products_beside_each_other():
    parts = [four_bit_weights(32, 4), four_bit_weights(64, 4) * 2]
    x = torch.randn(2, 128)
    wanted = torch.cat([x @ part.T for part in parts], dim=-1)
    torch.testing.assert_close(Matrix.of(parts, None)(x), wanted)
    found = Matrix.of(parts, ALWAYS_FASTER)(x).float()
    assert float((found - wanted).norm() / wanted.norm()) < 0.01


@pytest.mark.parametrize("table", [None, KernelTable({"dense": {1: 1.0, 4: 1.0}})])
def test_without_a_faster_form_a_matrix_is_dense(table):
    weights, x = four_bit_weights(32, 2), torch.randn(3, 64)
    matrix = Matrix.of([weights], table)
    assert torch.equal(matrix(x), x @ weights.T)
    assert matrix.packed_bytes == 0


@dataclass
class Spoiled:
    """Levels whose kernel is wrong in one way."""

    levels: Int8Levels
    how: str

    def dense(self):
        return self.levels.dense()

    def packed(self):
        if self.how == "missing":
            raise AttributeError("no such operator")
        right = self.levels.packed()
        return {
            "shifted": lambda x: right(x).roll(1, dims=1),
            "nan": lambda x: right(x) * torch.nan,
            "narrow": lambda x: right(x)[:, :-1],
            "wrong at 16 rows": lambda x: right(x) if x.shape[0] < 16 else -right(x),
            "right": right,
        }[self.how]


@pytest.mark.parametrize("how", ["missing", "shifted", "nan", "narrow", "wrong at 16 rows"])
def test_a_wrong_kernel_is_never_in_the_table(tmp_path, how):
    packings = {"int8": Int8Levels.of, "spoiled": lambda weights: Spoiled(Int8Levels.of(weights), how)}
    assert not multiplies_rightly(packings["spoiled"])
    table = kernel_table(tmp_path, (64, 64), torch.float32, packings=packings)
    assert table.times.keys() == {"dense", "int8"}
    # Nor if an earlier start, with a right one, has put it into the cache.
    (file,) = tmp_path.glob("kernels-*.json")
    known = json.loads(file.read_text())
    file.write_text(json.dumps(known | {"spoiled": known["int8"]}))
    assert kernel_table(tmp_path, (64, 64), torch.float32, packings=packings).times.keys() == {
        "dense",
        "int8",
    }


def test_the_probe_accepts_a_right_kernel():
    assert multiplies_rightly(lambda weights: Spoiled(Int8Levels.of(weights), "right"))


def test_a_table_is_measured_once_and_kept(tmp_path, monkeypatch):
    first = kernel_table(tmp_path, (64, 64), torch.float32)
    monkeypatch.setattr("models.lean.table.measure", lambda *_: pytest.fail("measured again"))
    assert kernel_table(tmp_path, (64, 64), torch.float32) == first
    monkeypatch.undo()
    for spoiled in ("", "[]", '{"dense": 3}'):
        next(tmp_path.glob("kernels-*.json")).write_text(spoiled)
        assert kernel_table(tmp_path, (64, 64), torch.float32).times.keys() == first.times.keys()


def test_a_cache_that_cannot_be_written_costs_only_the_memory(tmp_path):
    (tmp_path / "file").touch()
    assert "dense" in kernel_table(tmp_path / "file", (64, 64), torch.float32).times


def test_a_form_that_the_shape_cannot_have_is_left_out(tmp_path):
    for _ in range(2):  # measured, and read
        assert kernel_table(tmp_path, (64, 40), torch.float32).times.keys() == {"dense"}


def test_times_are_positive_for_every_number_of_rows():
    for rows in measure((64, 64), torch.float32, PACKINGS).values():
        assert all(ms > 0 for ms in rows.values())


_AVX2 = """
import torch
from models.lean.packing import PACKINGS
from models.lean.table import multiplies_rightly
print(torch.backends.cpu.get_cpu_capability(), *(multiplies_rightly(one) for one in PACKINGS.values()))
"""


@pytest.mark.process
def test_the_forms_are_right_with_avx2_alone():
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("not a processor with AVX2")
    narrow = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    ran = subprocess.run(
        [sys.executable, "-c", _AVX2], env=os.environ | narrow, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["AVX2", "True", "True"]
